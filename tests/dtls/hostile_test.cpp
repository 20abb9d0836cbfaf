#include <cstdint>
#include <malloc.h>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/dtls/handshake.hpp"
#include "engine/dtls/record.hpp"
#include "engine/lane/sim_random.hpp"
#include "tests/dtls/ends.hpp"

namespace jackfield::dtls {
namespace {

using namespace std::chrono_literals;
using testing::Ge;
using testing::SizeIs;

void put(datagram& to, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i)
    to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

datagram record_of(content_type type, uint16_t epoch, uint64_t sequence, const datagram& content) {
  datagram out;
  put(out, static_cast<uint64_t>(type), 1);
  put(out, 0xfefd, 2);
  put(out, epoch, 2);
  put(out, sequence, 6);
  put(out, content.size(), 2);
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

datagram hello_fragment(uint64_t whole, uint64_t offset, uint64_t size, uint16_t message = 0) {
  datagram out;
  put(out, 1, 1);
  put(out, whole, 3);
  put(out, message, 2);
  put(out, offset, 3);
  put(out, size, 3);
  out.resize(out.size() + size);
  return out;
}

struct running_pair {
  running_pair() {
    client->expect(only(server.who->fingerprint()));
    server->expect(only(client.who->fingerprint()));
    server->start(t0);
    client->start(t0);
  }

  void expect_done() {
    exchange(client, server, t0);
    EXPECT_EQ(client->now(), handshake::state::done) << client->cause();
    EXPECT_EQ(server->now(), handshake::state::done) << server->cause();
  }

  end client{role::client};
  end server{role::server};
};

TEST(sec_20, dtls_garbage_is_counted_and_fails_nothing) {
  running_pair pair;
  lane::sim_random random{1};
  for (int i = 0; i < 10'000; ++i) {
    datagram noise(1 + random.below(1400));
    for (std::byte& b : noise)
      b = static_cast<std::byte>(random.next());
    noise[0] = static_cast<std::byte>(20 + random.below(44));
    pair.client->on_datagram(noise, t0);
    pair.server->on_datagram(noise, t0);
  }
  EXPECT_EQ(pair.client->ignored(), 10'000u);
  EXPECT_EQ(pair.server->ignored(), 10'000u);
  pair.expect_done();
}

TEST(sec_20, dtls_records_that_no_peer_sends_fail_nothing) {
  running_pair pair;
  const std::vector<datagram> bad{
    {},
    record_of(content_type::application_data, 0, 9, datagram(100)),
    record_of(content_type::alert, 0, 9, datagram(3)),
    record_of(content_type::handshake, 0, 9, datagram(11)),
    record_of(content_type::handshake, 0, 9, hello_fragment(10, 8, 8)),
    record_of(content_type::handshake, 0, 9, hello_fragment(1'000'000, 0, 8)),
    record_of(content_type::handshake, 2, 9, datagram(100)),
    record_of(content_type::change_cipher_spec, 0, 9, datagram(2)),
    datagram(handshake::max_datagram + 1, std::byte{22}),
  };
  for (const auto& d : bad) {
    pair.client->on_datagram(d, t0);
    pair.server->on_datagram(d, t0);
  }
  EXPECT_EQ(pair.client->ignored(), bad.size());
  EXPECT_EQ(pair.server->ignored(), bad.size());
  pair.expect_done();
}

TEST(sec_20, dtls_truncated_flights_fail_nothing) {
  running_pair pair;
  const auto hello = pair.client.out.take().at(0);
  for (size_t size = 0; size < hello.size(); ++size)
    pair.server->on_datagram(std::span{hello}.first(size), t0);
  EXPECT_EQ(pair.server->ignored(), hello.size());
  pair.server->on_datagram(hello, t0);
  pair.expect_done();
}

TEST(sec_20, dtls_ten_thousand_hello_fragments_take_bounded_memory) {
  end server{role::server};
  server->start(t0);
  const auto before = mallinfo2().uordblks;
  for (uint64_t i = 0; i < 10'000; ++i)
    server->on_datagram(
      record_of(content_type::handshake, 0, i,
                hello_fragment(16'000, i % 15'999, 1, static_cast<uint16_t>(i % 50))),
      t0);
  EXPECT_LT(mallinfo2().uordblks, before + 500'000);
  EXPECT_THAT(server.out.take(), SizeIs(0));
}

TEST(sec_20, dtls_records_of_keys_to_come_take_bounded_memory) {
  running_pair pair;
  const auto before = mallinfo2().uordblks;
  for (uint64_t i = 0; i < 10'000; ++i)
    pair.client->on_datagram(record_of(content_type::handshake, 1, i, datagram(64)), t0);
  EXPECT_LT(mallinfo2().uordblks, before + 1'000'000);
  EXPECT_THAT(pair.client->ignored(), Ge(9'900u));
  EXPECT_EQ(pair.client->now(), handshake::state::running);
}

TEST(sec_20, dtls_plain_alert_after_the_keys_is_not_believed) {
  running_pair pair;
  pair.expect_done();
  datagram fatal;
  put(fatal, 2, 1);
  put(fatal, 40, 1);
  for (uint64_t i = 0; i < 100; ++i) {
    pair.client->on_datagram(record_of(content_type::alert, 0, 1000 + i, fatal), t0);
    pair.client->on_datagram(record_of(content_type::alert, 1, 1000 + i, fatal), t0);
  }
  EXPECT_EQ(pair.client->now(), handshake::state::done) << pair.client->cause();
}

TEST(sec_20, dtls_forged_encrypted_records_of_any_length_fail_nothing) {
  running_pair pair;
  const auto forge = [&] {
    for (const auto type : {content_type::alert, content_type::handshake,
                            content_type::change_cipher_spec, content_type::application_data})
      for (size_t size = 0; size < 100; ++size)
        for (end* e : {&pair.client, &pair.server})
          (*e)->on_datagram(record_of(type, 1, 5000 + size, datagram(size)), t0);
  };
  pair.expect_done();
  forge();
  EXPECT_EQ(pair.client->now(), handshake::state::done) << pair.client->cause();
  EXPECT_EQ(pair.server->now(), handshake::state::done) << pair.server->cause();
  pair.client->close();
  exchange(pair.client, pair.server, t0);
  EXPECT_EQ(pair.server->now(), handshake::state::closed);
}

TEST(sec_20, dtls_plain_alert_of_the_validated_peer_ends_a_handshake_at_once) {
  running_pair pair;
  datagram fatal;
  put(fatal, 2, 1);
  put(fatal, 40, 1);
  pair.client->on_datagram(record_of(content_type::alert, 0, 0, fatal), t0);
  EXPECT_EQ(pair.client->reason(), handshake::failure::alert);
  EXPECT_NE(pair.client->cause().find("handshake failure"), std::string_view::npos);
}

TEST(dtls_record, is_known_by_its_first_byte) {
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(is_dtls(static_cast<std::byte>(i)), i >= 20 && i <= 63) << i;
}

TEST(dtls_record, of_a_hello_that_offers_dtls_1_3_is_answered_with_1_2) {
  end client{role::client};
  client->start(t0);
  auto hello = client.out.take().at(0);
  // supported_versions of 1.3 and 1.2 at the end of the extensions, whose length is the last of
  // the lengths that grow with it.
  datagram offer;
  put(offer, 43, 2);
  put(offer, 5, 2);
  put(offer, 4, 1);
  put(offer, 0xfefc, 2);
  put(offer, 0xfefd, 2);
  const auto number_at = [&](size_t at, int bytes) {
    size_t out = 0;
    for (int i = 0; i < bytes; ++i)
      out = out << 8 | std::to_integer<size_t>(hello[at + static_cast<size_t>(i)]);
    return out;
  };
  const auto grow = [&](size_t at, int bytes) {
    datagram grown;
    put(grown, number_at(at, bytes) + offer.size(), bytes);
    std::ranges::copy(grown, hello.begin() + static_cast<std::ptrdiff_t>(at));
  };
  size_t at = record_header_size + 12 + 2 + 32;
  at += 1 + number_at(at, 1); // session
  at += 1 + number_at(at, 1); // cookie
  at += 2 + number_at(at, 2); // ciphers
  at += 1 + number_at(at, 1); // compression
  ASSERT_EQ(at + 2 + number_at(at, 2), hello.size());
  grow(at, 2);
  grow(11, 2);                     // record
  grow(record_header_size + 1, 3); // message
  grow(record_header_size + 9, 3); // fragment
  hello.insert(hello.end(), offer.begin(), offer.end());
  ASSERT_TRUE(is_client_hello(hello));

  end server{role::server};
  server->start(t0);
  server->on_datagram(hello, t0);
  EXPECT_EQ(server->now(), handshake::state::running) << server->cause();
  const auto answer = server.out.take();
  ASSERT_THAT(answer, SizeIs(Ge(1u)));
  std::span<const std::byte> rest{answer[0]};
  const auto first = next_record(rest);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->fragment[0], std::byte{2}); // ServerHello
  EXPECT_EQ(first->fragment[12], std::byte{0xfe});
  EXPECT_EQ(first->fragment[13], std::byte{0xfd});
}

} // namespace
} // namespace jackfield::dtls
