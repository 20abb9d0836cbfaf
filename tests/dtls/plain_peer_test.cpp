#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/dtls/handshake.hpp"
#include "tests/dtls/ends.hpp"
#include "tests/dtls/plain_peer.hpp"

namespace jackfield::dtls {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAreArray;
using testing::SizeIs;

void exchange(end& ours, plain_peer& theirs) {
  auto answer = theirs.step({});
  for (;;) {
    if (!answer.empty())
      ours->on_datagram(answer, t0);
    const auto sent = ours.out.take();
    if (sent.empty())
      return;
    answer.clear();
    for (const auto& d : sent) {
      const auto part = theirs.step(d);
      answer.insert(answer.end(), part.begin(), part.end());
    }
  }
}

// Our end in the role `r` against a peer of that wish, as far as they get.
struct meeting {
  meeting(role r, const peer_wish& wish) : ours{r}, theirs{r == role::server, wish} {
    if (wish.key == peer_wish::key_kind::none)
      ours->expect(only(ours.who->fingerprint()));
    else
      ours->expect(only(theirs.own_fingerprint()));
    ours->start(t0);
    exchange(ours, theirs);
  }

  end ours;
  plain_peer theirs;
};

struct profile_case {
  const char* name;
  uint16_t id;
  size_t key;
  size_t salt;
};

class srtp_profiles : public testing::TestWithParam<profile_case> {};
INSTANTIATE_TEST_SUITE_P(all, srtp_profiles,
                         testing::Values(profile_case{"SRTP_AEAD_AES_128_GCM", 7, 16, 12},
                                         profile_case{"SRTP_AEAD_AES_256_GCM", 8, 32, 12},
                                         profile_case{"SRTP_AES128_CM_SHA1_80", 1, 16, 14},
                                         profile_case{"SRTP_AES128_CM_SHA1_32", 2, 16, 14}));

TEST_P(srtp_profiles, give_the_keys_that_the_peers_exporter_gives) {
  const auto& c = GetParam();
  for (const role r : {role::client, role::server}) {
    peer_wish wish;
    wish.srtp_profiles = c.name;
    const meeting m{r, wish};
    ASSERT_EQ(m.ours->now(), handshake::state::done) << m.ours->cause();
    ASSERT_TRUE(m.theirs.finished());
    const srtp_keys& keys = *m.ours->keys();
    EXPECT_EQ(keys.profile(), c.id);
    const auto all = m.theirs.exported(2 * (c.key + c.salt));
    const auto at = [&](size_t begin, size_t size) { return std::span{all}.subspan(begin, size); };
    const auto client = r == role::client ? keys.local() : keys.remote();
    const auto server = r == role::client ? keys.remote() : keys.local();
    ASSERT_THAT(client, SizeIs(c.key + c.salt));
    EXPECT_THAT(client.first(c.key), ElementsAreArray(at(0, c.key)));
    EXPECT_THAT(server.first(c.key), ElementsAreArray(at(c.key, c.key)));
    EXPECT_THAT(client.subspan(c.key), ElementsAreArray(at(2 * c.key, c.salt)));
    EXPECT_THAT(server.subspan(c.key), ElementsAreArray(at(2 * c.key + c.salt, c.salt)));
  }
}

TEST(dtls_plain_peer, with_an_rsa_certificate_is_understood) {
  for (const role r : {role::client, role::server}) {
    peer_wish wish;
    wish.key = peer_wish::key_kind::rsa;
    const meeting m{r, wish};
    EXPECT_EQ(m.ours->now(), handshake::state::done) << m.ours->cause();
  }
}

TEST(dtls_plain_peer, without_a_certificate_is_refused) {
  peer_wish wish;
  wish.key = peer_wish::key_kind::none;
  const meeting m{role::server, wish};
  EXPECT_EQ(m.ours->reason(), handshake::failure::no_certificate) << m.ours->cause();
  EXPECT_TRUE(m.theirs.told_to_stop());
}

TEST(dtls_plain_peer, without_use_srtp_is_refused) {
  for (const role r : {role::client, role::server}) {
    peer_wish wish;
    wish.srtp_profiles.clear();
    const meeting m{r, wish};
    EXPECT_EQ(m.ours->reason(), handshake::failure::no_srtp_profile) << m.ours->cause();
    EXPECT_EQ(m.ours->keys(), nullptr);
  }
}

TEST(dtls_plain_peer, of_dtls_1_0_is_refused) {
  for (const role r : {role::client, role::server}) {
    peer_wish wish;
    wish.version = DTLS1_VERSION;
    const meeting m{r, wish};
    EXPECT_EQ(m.ours->now(), r == role::client ? m.ours->now() : handshake::state::failed);
    EXPECT_NE(m.ours->now(), handshake::state::done);
    EXPECT_EQ(m.ours->keys(), nullptr);
  }
}

TEST(dtls_plain_peer, without_a_cipher_in_common_ends_at_once) {
  peer_wish wish;
  wish.ciphers = "ECDHE-ECDSA-AES128-SHA";
  const meeting server{role::server, wish};
  EXPECT_EQ(server.ours->reason(), handshake::failure::protocol) << server.ours->cause();
  const meeting client{role::client, wish};
  EXPECT_EQ(client.ours->reason(), handshake::failure::alert) << client.ours->cause();
}

TEST(dtls_plain_peer, that_is_another_than_described_hears_of_it) {
  for (const role r : {role::client, role::server}) {
    end ours{r};
    plain_peer theirs{r == role::server, {}};
    ours->expect(only(ours.who->fingerprint()));
    ours->start(t0);
    exchange(ours, theirs);
    EXPECT_EQ(ours->reason(), handshake::failure::fingerprint);
    EXPECT_TRUE(theirs.told_to_stop());
    EXPECT_THAT(theirs.complaint(), testing::HasSubstr("bad certificate"));
  }
}

TEST(dtls_plain_peer, may_send_application_data_that_nobody_reads_and_say_goodbye) {
  meeting m{role::server, {}};
  ASSERT_EQ(m.ours->now(), handshake::state::done);
  const std::array<unsigned char, 100> data{};
  for (int i = 0; i < 100; ++i)
    m.ours->on_datagram(m.theirs.send(data), t0);
  EXPECT_EQ(m.ours->now(), handshake::state::done);
  m.ours->on_datagram(m.theirs.say_goodbye(), t0);
  EXPECT_EQ(m.ours->now(), handshake::state::closed);
}

TEST(dtls_plain_peer, of_chacha20_is_heard_saying_goodbye) {
  peer_wish wish;
  wish.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305";
  meeting m{role::server, wish};
  ASSERT_EQ(m.ours->now(), handshake::state::done) << m.ours->cause();
  for (size_t size = 0; size < 40; ++size) {
    std::vector<std::byte> forged{std::byte{21}, std::byte{0xfe}, std::byte{0xfd}, std::byte{0},
                                  std::byte{1}};
    forged.resize(12);
    forged.push_back(static_cast<std::byte>(size));
    forged.resize(forged.size() + size);
    m.ours->on_datagram(forged, t0);
  }
  EXPECT_EQ(m.ours->now(), handshake::state::done) << m.ours->cause();
  m.ours->on_datagram(m.theirs.say_goodbye(), t0);
  EXPECT_EQ(m.ours->now(), handshake::state::closed);
}

TEST(dtls_plain_peer, cannot_renegotiate) {
  meeting m{role::server, {}};
  ASSERT_EQ(m.ours->now(), handshake::state::done);
  SSL_renegotiate(m.theirs.native());
  SSL_do_handshake(m.theirs.native());
  exchange(m.ours, m.theirs);
  EXPECT_NE(m.ours->now(), handshake::state::failed);
  EXPECT_EQ(m.ours->keys()->profile(), 7);
}

} // namespace
} // namespace jackfield::dtls
