#include "engine/sdp/stream_transport.hpp"

#include <array>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/sdp/negotiation.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string gcm = "AEAD_AES_128_GCM";
const std::string cm80 = "AES_CM_128_HMAC_SHA1_80";

std::shared_ptr<const stream_transport> keyed(std::string first, std::string second) {
  stream_transport made;
  made.keys = {{1, gcm, std::move(first)}, {2, cm80, std::move(second)}};
  return std::make_shared<const stream_transport>(std::move(made));
}

std::shared_ptr<const stream_transport> certified(const std::string& print) {
  stream_transport made;
  made.fingerprints = {{"sha-256", print}};
  made.role = setup::actpass;
  made.ice = {"ufrag" + print, "password-of-22-characters", {"1 1 udp 1 192.0.2.1 9 typ host"}};
  return std::make_shared<const stream_transport>(std::move(made));
}

std::shared_ptr<const offer_template> local_for(protection how, std::string host = "192.0.2.1") {
  media_capabilities can;
  can.rtcp_mux = true;
  can.suites = {gcm, cm80};
  can.protections = {how};
  if (how == protection::sdes)
    can.profiles = {"RTP/SAVP", "RTP/AVP"};
  if (how == protection::dtls) {
    can.profiles = {"UDP/TLS/RTP/SAVPF"};
    can.bundle = can.rtcp_rsize = true;
  }
  return std::make_shared<const offer_template>(host, can);
}

TEST(stream_transport, crypto_lines_that_can_be_used_are_read) {
  const auto plain = parse_crypto("1 AES_CM_128_HMAC_SHA1_80 inline:S0VZ|2^20");
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, (crypto{1, cm80, "S0VZ"}));
  EXPECT_EQ(parse_crypto("999999999 X inline:AA WSH=128 -NEW=1")->tag, 999'999'999U);
  for (const auto* bad :
       {"", "0 X inline:AA", "x X inline:AA", "1 X", "1 X clear:AA",
        "1 X inline:", "1000000000 X inline:AA", "1 X inline:AA|2^20|1:4", "1 X inline:AA|1:4",
        "1 X inline:AA;inline:BB", "1 X inline:AA UNENCRYPTED_SRTP", "1 X inline:AA KDR=1",
        "-1 X inline:AA", "4294967297 X inline:AA"})
    EXPECT_FALSE(parse_crypto(bad)) << bad;
}

TEST(stream_transport, what_is_printed_is_read_again) {
  auto both = *certified("AA:BB");
  both.keys = keyed("S0VZ", "S0VZMg==")->keys;
  std::string text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                     "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n";
  auto added = *parse(text);
  ASSERT_TRUE(is_appendable(both));
  print_transport(both, text);
  const auto read = parse(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(transport_of(*read, read->media.front()), both);
  add_transport(added, added.media.front(), both);
  EXPECT_EQ(print(added), text);
}

TEST(stream_transport, that_is_lite_says_so_of_the_whole_session_as_offer_and_as_answer) {
  auto lite = *certified("AA");
  lite.ice->lite = true;
  EXPECT_FALSE(is_appendable(lite));
  const auto own = std::make_shared<const stream_transport>(lite);
  negotiation caller(local_for(protection::dtls), 10'000, 1);
  negotiation callee(local_for(protection::dtls, "192.0.2.2"), 10'002, 2);
  caller.set_transport(own);
  callee.set_transport(own);
  const auto offer = caller.offer(direction::sendrecv);
  const auto taken = callee.take_offer(offer->text);
  ASSERT_TRUE(taken) << taken.error().to_string();
  const auto answer = callee.answer(*taken, direction::sendrecv);
  ASSERT_TRUE(answer) << answer.error().to_string();
  for (const auto& text : {offer->text, answer->text}) {
    const auto read = parse(text);
    ASSERT_TRUE(read);
    EXPECT_NE(find(read->attributes, "ice-lite"), nullptr) << text;
    EXPECT_TRUE(transport_of(*read, read->media.front()).ice->lite);
    EXPECT_EQ(find(read->media.front().attributes, "ice-lite"), nullptr) << text;
  }
}

TEST(stream_transport, what_stands_for_the_session_counts_for_a_line_that_says_nothing) {
  const auto read = parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                          "t=0 0\r\na=fingerprint:sha-256 AA\r\na=setup:passive\r\n"
                          "a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\na=ice-lite\r\n"
                          "a=ice-options:ice2 trickle\r\nm=audio 9 RTP/SAVPF 0\r\n");
  const auto got = transport_of(*read, read->media.front());
  ASSERT_EQ(got.fingerprints.size(), 1U);
  EXPECT_EQ(got.role, setup::passive);
  ASSERT_TRUE(got.ice);
  EXPECT_EQ(got.ice->pwd, "secret");
  EXPECT_TRUE(got.ice->lite);
  EXPECT_TRUE(got.ice->trickles);
  EXPECT_FALSE(got.ice->complete);
}

TEST(stream_transport, who_offers_controls_ice_unless_it_is_lite) {
  const std::string frame =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
  const std::string line =
    "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\na=fingerprint:sha-256 AA\r\n"
    "a=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:secret\r\n";
  for (const bool lite : {false, true}) {
    SCOPED_TRACE(lite);
    negotiation callee(local_for(protection::dtls), 10'000, 1);
    EXPECT_TRUE(callee.controls_ice()) << "the next description would be an offer";
    ASSERT_TRUE(callee.take_offer(frame + (lite ? "a=ice-lite\r\n" : "") + line));
    EXPECT_EQ(callee.controls_ice(), lite);
  }
}

TEST(stream_transport, sdes_is_agreed_on_by_the_first_suite_that_both_have) {
  negotiation caller(local_for(protection::sdes), 10'000, 1);
  negotiation callee(local_for(protection::sdes, "192.0.2.2"), 10'002, 2);
  caller.set_transport(keyed("Q0FMTEVSMQ==", "Q0FMTEVSMg=="));
  const auto offer = caller.offer(direction::sendrecv);
  EXPECT_THAT(offer->text, HasSubstr("m=audio 10000 RTP/SAVP 0 8 101\r\n"));
  EXPECT_THAT(offer->text, HasSubstr("a=crypto:1 AEAD_AES_128_GCM inline:Q0FMTEVSMQ==\r\n"
                                     "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:Q0FMTEVSMg=="));
  const auto taken = callee.take_offer(offer->text);
  ASSERT_TRUE(taken) << taken.error().to_string();
  EXPECT_EQ(callee.offered_protection(), protection::sdes);
  EXPECT_FALSE(callee.answer(*taken, direction::sendrecv)) << "without a key of its own";
  callee.set_transport(keyed("Q0FMTEVFMQ==", "Q0FMTEVFMg=="));
  const auto answer = callee.answer(*taken, direction::sendrecv);
  ASSERT_TRUE(answer) << answer.error().to_string();
  EXPECT_THAT(answer->text, HasSubstr("a=crypto:1 AEAD_AES_128_GCM inline:Q0FMTEVFMQ==\r\n"));
  EXPECT_THAT(answer->text, Not(HasSubstr(cm80)));
  EXPECT_EQ(answer->audio.remote->keys.front().key, "Q0FMTEVSMQ==");
  const auto agreed = caller.take_answer(offer->number, answer->text);
  ASSERT_TRUE(agreed) << agreed.error().to_string();
  EXPECT_EQ(agreed->protected_by, protection::sdes);
  EXPECT_EQ(agreed->remote->keys.front(), (crypto{1, gcm, "Q0FMTEVFMQ=="}));
}

TEST(stream_transport, an_answer_with_a_key_that_was_not_offered_is_refused) {
  for (const auto* crypto : {"", "a=crypto:3 AEAD_AES_128_GCM inline:AA\r\n",
                             "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AA\r\n",
                             "a=crypto:1 AEAD_AES_128_GCM inline:AA\r\n"
                             "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AA\r\n"}) {
    negotiation caller(local_for(protection::sdes), 10'000, 1);
    caller.set_transport(keyed("S0VZMQ==", "S0VZMg=="));
    const auto offer = caller.offer(direction::sendrecv);
    const auto agreed = caller.take_answer(
      offer->number, std::string("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                                 "t=0 0\r\nm=audio 9 RTP/SAVP 0\r\n") +
                       crypto);
    ASSERT_FALSE(agreed) << crypto;
    EXPECT_EQ(agreed.error().to_string(),
              "sdp answer: no a=crypto line of the offer's for the audio stream");
  }
}

TEST(stream_transport, dtls_roles_meet_and_stay) {
  negotiation caller(local_for(protection::dtls), 10'000, 1);
  negotiation callee(local_for(protection::dtls, "192.0.2.2"), 10'002, 2);
  caller.set_transport(certified("AA"));
  callee.set_transport(certified("BB"));
  auto exchange = [](negotiation& from, negotiation& to) {
    const auto offer = from.offer(direction::sendrecv);
    EXPECT_THAT(offer->text, HasSubstr("a=group:BUNDLE 0\r\n"));
    EXPECT_THAT(offer->text, HasSubstr("a=setup:actpass\r\n"));
    const auto taken = to.take_offer(offer->text);
    const auto answer = to.answer(*taken, direction::sendrecv);
    EXPECT_THAT(answer->text, HasSubstr("a=group:BUNDLE 0\r\n"));
    EXPECT_THAT(answer->text, HasSubstr("a=mid:0\r\n"));
    EXPECT_THAT(answer->text, HasSubstr("a=rtcp-mux\r\n"));
    const auto agreed = from.take_answer(offer->number, answer->text);
    EXPECT_EQ(agreed->protected_by, protection::dtls);
    return std::pair{agreed->role, answer->audio.role};
  };
  EXPECT_EQ(exchange(caller, callee), (std::pair{setup::passive, setup::active}));
  EXPECT_EQ(exchange(caller, callee), (std::pair{setup::passive, setup::active}));
  EXPECT_EQ(exchange(callee, caller), (std::pair{setup::active, setup::passive}))
    << "a re-offer from the other side leaves the association as it is";
}

// SEC-23: protected once, a session is not talked out of it; refused where it is asked for.
TEST(sec_23, a_stream_that_was_protected_does_not_go_on_without) {
  negotiation caller(local_for(protection::sdes), 10'000, 1);
  auto can = local_for(protection::sdes, "192.0.2.2")->capabilities();
  can.protections = {protection::dtls, protection::sdes, protection::none};
  negotiation callee(std::make_shared<const offer_template>("192.0.2.2", can), 10'002, 2);
  caller.set_transport(keyed("S0VZMQ==", "S0VZMg=="));
  callee.set_transport(keyed("S0VZMw==", "S0VZNA=="));
  const auto offer = caller.offer(direction::sendrecv);
  auto taken = callee.take_offer(offer->text);
  ASSERT_TRUE(callee.answer(*taken, direction::sendrecv));
  const std::string plain = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                            "t=0 0\r\nm=audio 9 RTP/AVP 0\r\n";
  taken = callee.take_offer(plain);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().to_string(),
            "sdp offer: the audio stream was protected so far and is not in this offer");
  EXPECT_EQ(callee.current(), negotiation::state::stable);

  negotiation strict(local_for(protection::sdes), 10'000, 3);
  EXPECT_EQ(strict.take_offer(plain).error().to_string(),
            "sdp offer: the audio stream is not protected, expected SRTP");
  negotiation free(std::make_shared<const offer_template>("192.0.2.2", can), 10'002, 2);
  EXPECT_TRUE(free.take_offer(plain));
}

TEST(stream_transport, offers_that_cannot_be_protected_say_why) {
  const std::string head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
                           "t=0 0\r\n";
  auto refused = [&](const std::string& media) {
    negotiation callee(local_for(protection::sdes), 10'000, 1);
    const auto taken = callee.take_offer(head + media);
    return taken ? "taken" : taken.error().cause;
  };
  EXPECT_EQ(refused("m=audio 9 RTP/SAVP 0\r\n"),
            "the audio stream is RTP/SAVP without a=crypto or a=fingerprint");
  EXPECT_EQ(refused("m=audio 9 RTP/SAVP 0\r\na=crypto:1 NULL_X inline:AA\r\n"),
            "no a=crypto line of the audio stream can be used");
  EXPECT_EQ(refused("m=audio 9 RTP/SAVP 0\r\na=fingerprint:sha-256 AA\r\n"),
            "the audio stream is protected by DTLS, which is not done here");
  EXPECT_EQ(refused("m=audio 9 RTP/AVP 0\r\na=crypto:1 AEAD_AES_128_GCM inline:AA\r\n"), "taken");
}

} // namespace
} // namespace jackfield::sdp
