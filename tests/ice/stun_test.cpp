#include "engine/ice/stun.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/guarded_bytes.hpp"

namespace jackfield::ice {
namespace {

const std::string password = "VOkJxbRl1RmTxUk/WvJxBt"; // RFC 5769's

std::string vector_file(const std::string& name) {
  std::ifstream file{"../shared/data/vectors/stun-rfc5769/" + name, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span{text});
}

std::string sample_check() {
  stun_buffer buffer;
  return text_of(write_check(
    buffer,
    {transaction_id{std::byte{7}}, "evtj", "h6vY", 0x6e0001ff, true, 0x932ff9b151263b36, true},
    password));
}

TEST(ice_stun, reads_the_request_of_rfc_5769) {
  const auto file = vector_file("2.1_request_shortterm.bin");
  if (file.empty())
    GTEST_SKIP() << "no ../shared/data";
  const tests::guarded_bytes bytes{file};
  ASSERT_TRUE(is_stun(bytes.bytes()));
  const auto m = read_stun(bytes.bytes());
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, message_class::request);
  EXPECT_EQ(m->username, "evtj:h6vY");
  EXPECT_EQ(m->priority, 0x6e0001ffu);
  EXPECT_EQ(m->controlled, 0x932ff9b151263b36u);
  EXPECT_FALSE(m->controlling);
  EXPECT_FALSE(m->use_candidate);
  EXPECT_TRUE(m->has_fingerprint);
  EXPECT_EQ(m->unknown.count, 0);
  EXPECT_TRUE(has_integrity(bytes.bytes(), *m, password));
  EXPECT_FALSE(has_integrity(bytes.bytes(), *m, password + "x"));
}

TEST(ice_stun, reads_the_responses_of_rfc_5769) {
  for (const auto& [name, address] :
       {std::pair{"2.2_response_ipv4.bin", lane::endpoint::parse("192.0.2.1", 32853)},
        std::pair{"2.3_response_ipv6.bin",
                  lane::endpoint::parse("2001:db8:1234:5678:11:2233:4455:6677", 32853)}}) {
    const auto file = vector_file(name);
    if (file.empty())
      GTEST_SKIP() << "no ../shared/data";
    const auto m = read_stun(bytes_of(file));
    ASSERT_TRUE(m) << name;
    EXPECT_EQ(m->kind, message_class::success);
    EXPECT_EQ(m->mapped, *address);
    EXPECT_TRUE(m->has_fingerprint);
    EXPECT_TRUE(has_integrity(bytes_of(file), *m, password));
  }
}

TEST(ice_stun, reads_the_long_term_request_of_rfc_5769) {
  const auto file = vector_file("2.4_request_longterm.bin");
  if (file.empty())
    GTEST_SKIP() << "no ../shared/data";
  const auto m = read_stun(bytes_of(file));
  ASSERT_TRUE(m);
  EXPECT_FALSE(m->has_fingerprint);
  ASSERT_TRUE(m->username);
  EXPECT_EQ(m->username->size(), 18u);
  EXPECT_FALSE(has_integrity(bytes_of(file), *m, "TheMatrIX"));
}

TEST(ice_stun, reads_the_check_it_wrote) {
  const auto text = sample_check();
  const auto m = read_stun(bytes_of(text));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->kind, message_class::request);
  EXPECT_EQ(m->id, transaction_id{std::byte{7}});
  EXPECT_EQ(m->username, "evtj:h6vY");
  EXPECT_EQ(m->priority, 0x6e0001ffu);
  EXPECT_EQ(m->controlling, 0x932ff9b151263b36u);
  EXPECT_TRUE(m->use_candidate);
  EXPECT_TRUE(has_integrity(bytes_of(text), *m, password));
}

TEST(ice_stun, has_room_for_the_longest_ufrags_and_no_longer_ones) {
  stun_buffer buffer;
  const std::string most(256, 'u');
  const auto check = write_check(buffer, {{}, most, most, 1, false, 1, true}, password);
  ASSERT_FALSE(check.empty());
  EXPECT_EQ(read_stun(check)->username, most + ':' + most);
  EXPECT_TRUE(write_check(buffer, {{}, most + "u", most, 1, false, 1, true}, password).empty());
}

TEST(ice_stun, reads_the_success_it_wrote) {
  stun_buffer buffer;
  for (const auto& address :
       {*lane::endpoint::parse("192.0.2.1", 1), *lane::endpoint::parse("2001:db8::9", 65535)}) {
    const transaction_id id{std::byte{1}, std::byte{2}};
    const auto answer = write_success(buffer, id, address, password);
    const auto m = read_stun(answer);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->kind, message_class::success);
    EXPECT_EQ(m->id, id);
    EXPECT_EQ(m->mapped, address);
    EXPECT_TRUE(has_integrity(answer, *m, password));
  }
}

TEST(ice_stun, reads_the_errors_it_wrote) {
  stun_buffer buffer;
  for (const auto code : {stun_error::bad_request, stun_error::unauthenticated,
                          stun_error::unknown_attribute, stun_error::role_conflict}) {
    unknown_attributes unknown;
    unknown.types[unknown.count++] = 0x7fff;
    const auto answer = write_error(buffer, {}, code, {}, unknown);
    const auto m = read_stun(answer);
    ASSERT_TRUE(m);
    EXPECT_EQ(m->kind, message_class::error);
    EXPECT_EQ(m->error, static_cast<uint16_t>(code));
    EXPECT_EQ(m->integrity_at, 0);
    EXPECT_FALSE(has_integrity(answer, *m, ""));
  }
}

TEST(ice_stun, tells_what_else_comes_by_the_same_socket) {
  const std::string good = sample_check();
  EXPECT_TRUE(is_stun(bytes_of(good)));
  for (const int first : {20, 64, 128, 255}) {
    auto other = good;
    other[0] = static_cast<char>(first);
    EXPECT_EQ(is_stun(bytes_of(other)), first == 20);
  }
  auto other = good;
  other[4] = 0;
  EXPECT_FALSE(is_stun(bytes_of(other)));
  EXPECT_FALSE(is_stun(bytes_of(good.substr(0, 19))));
  other = good;
  other[1] = 3; // Allocate
  EXPECT_EQ(read_stun(bytes_of(other)).error(), stun_fault::method);
}

TEST(ice_stun, refuses_every_shorter_and_longer_message) {
  const std::string good = sample_check();
  for (size_t n = 0; n < good.size(); ++n) {
    const tests::guarded_bytes cut{std::string_view{good}.substr(0, n)};
    EXPECT_FALSE(read_stun(cut.bytes())) << n;
  }
  EXPECT_FALSE(read_stun(bytes_of(good + std::string(4, '\0'))));
  // A length that fits what was cut, and attributes that do not.
  for (size_t n = 24; n < good.size(); n += 4) {
    std::string cut = good.substr(0, n);
    cut[2] = 0;
    cut[3] = static_cast<char>(n - 20);
    const tests::guarded_bytes bytes{cut};
    const auto m = read_stun(bytes.bytes());
    EXPECT_TRUE(!m || !m->has_fingerprint) << n;
  }
}

TEST(ice_stun, notices_each_changed_bit) {
  const std::string good = sample_check();
  for (size_t i = 0; i < good.size() * 8; ++i) {
    auto bad = good;
    bad[i / 8] = static_cast<char>(static_cast<unsigned char>(bad[i / 8]) ^ (1U << i % 8));
    const auto m = read_stun(bytes_of(bad));
    EXPECT_TRUE(!m || !m->has_fingerprint || !has_integrity(bytes_of(bad), *m, password)) << i;
  }
}

TEST(ice_stun, believes_nothing_behind_the_integrity) {
  std::string text = sample_check();
  text.resize(text.size() - 8); // FINGERPRINT
  text += std::string{"\x00\x06\x00\x04"
                      "evil",
                      8};
  const auto m = read_stun(bytes_of(text));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->username, "evtj:h6vY");
  EXPECT_TRUE(has_integrity(bytes_of(text), *m, password));
}

TEST(ice_stun, lists_attributes_it_must_and_does_not_know) {
  std::string text{"\x00\x01\x00\x00\x21\x12\xa4\x42", 8};
  text += std::string(12, 'i');
  for (int i = 0; i < 20; ++i)
    text += std::string{"\x7f", 1} + static_cast<char>(i) + std::string(2, '\0');
  text += std::string{"\x80\x01\x00\x00", 4};
  text[3] = static_cast<char>(text.size() - 20);
  const auto m = read_stun(bytes_of(text));
  ASSERT_TRUE(m);
  ASSERT_EQ(m->unknown.count, unknown_attributes::most);
  EXPECT_EQ(m->unknown.types[1], 0x7f01);
}

} // namespace
} // namespace jackfield::ice
