#include "engine/dtls/fingerprint.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/crypto/openssl_handles.hpp"
#include "engine/dtls/identity.hpp"

namespace jackfield::dtls {
namespace {

// The digest of `text`, an attribute's value.
std::string digest_of(const fingerprint& one) {
  const auto text = one.to_string();
  return text.substr(text.find(' ') + 1);
}

class fingerprints : public testing::Test {
protected:
  [[nodiscard]] static std::string digest(const X509* x, hash h) {
    return digest_of(fingerprint::of(x, h).value());
  }

  std::shared_ptr<const identity> own_ = identity::make().value();
  std::shared_ptr<const identity> other_ = identity::make().value();
  const X509* x_ = SSL_CTX_get0_certificate(own_->native());
  const X509* stranger_ = SSL_CTX_get0_certificate(other_->native());
};

TEST_F(fingerprints, are_read_as_they_are_printed_in_any_case) {
  for (const hash h : {hash::sha256, hash::sha384, hash::sha512}) {
    const auto one = fingerprint::of(x_, h).value();
    auto text = digest_of(one);
    EXPECT_EQ(fingerprint::parse(to_string(h), text).value(), one);
    std::string name{to_string(h)};
    for (char& c : name)
      c = static_cast<char>(std::toupper(c));
    for (char& c : text)
      c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(fingerprint::parse(name, text).value(), one);
    EXPECT_TRUE(one.matches(x_));
    EXPECT_FALSE(one.matches(stranger_));
  }
  EXPECT_EQ(own_->fingerprint(), fingerprint::of(x_, hash::sha256).value());
}

TEST_F(fingerprints, that_are_malformed_are_refused) {
  const auto good = digest(x_, hash::sha256);
  EXPECT_FALSE(fingerprint::parse("sha-256", ""));
  EXPECT_FALSE(fingerprint::parse("sha-256", good + ":"));
  EXPECT_FALSE(fingerprint::parse("sha-256", good.substr(3)));
  EXPECT_FALSE(fingerprint::parse("sha-384", good));
  EXPECT_FALSE(fingerprint::parse("sha-1", good));
  EXPECT_FALSE(fingerprint::parse("", good));
  EXPECT_FALSE(fingerprint::parse("sha-256", std::string(100'000, 'A')));
  for (size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = 'x';
    EXPECT_FALSE(fingerprint::parse("sha-256", bad)) << i;
  }
}

TEST_F(fingerprints, in_a_list_match_if_one_of_the_strongest_hash_does) {
  fingerprint_list one_of_two;
  ASSERT_TRUE(one_of_two.add("sha-256", digest(stranger_, hash::sha256)));
  ASSERT_TRUE(one_of_two.add("sha-256", digest(x_, hash::sha256)));
  EXPECT_TRUE(one_of_two.matches(x_));

  fingerprint_list weaker_is_wrong;
  ASSERT_TRUE(weaker_is_wrong.add("sha-256", digest(stranger_, hash::sha256)));
  ASSERT_TRUE(weaker_is_wrong.add("sha-512", digest(x_, hash::sha512)));
  EXPECT_TRUE(weaker_is_wrong.matches(x_));
  EXPECT_FALSE(weaker_is_wrong.matches(stranger_));

  fingerprint_list weaker_is_right;
  ASSERT_TRUE(weaker_is_right.add("sha-512", digest(stranger_, hash::sha512)));
  ASSERT_TRUE(weaker_is_right.add("sha-256", digest(x_, hash::sha256)));
  EXPECT_FALSE(weaker_is_right.matches(x_));
}

TEST_F(fingerprints, of_unknown_hashes_are_passed_over) {
  fingerprint_list list;
  ASSERT_TRUE(list.add("sha-1", "00:11"));
  ASSERT_TRUE(list.add("sha3-256", "not even hexadecimal"));
  EXPECT_FALSE(list.usable());
  EXPECT_FALSE(list.matches(x_));
  ASSERT_TRUE(list.add("SHA-256", digest(x_, hash::sha256)));
  EXPECT_TRUE(list.usable());
  EXPECT_TRUE(list.matches(x_));
}

TEST_F(fingerprints, are_refused_in_a_list_if_malformed_or_too_many) {
  fingerprint_list list;
  EXPECT_FALSE(list.add("sha-256", "00:11"));
  for (size_t i = 1; i < fingerprint_list::max_lines; ++i)
    EXPECT_TRUE(list.add("md5", "00"));
  EXPECT_FALSE(list.add("md5", "00"));
}

} // namespace
} // namespace jackfield::dtls
