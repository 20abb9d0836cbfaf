#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/sdp/negotiation.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;

constexpr std::uint16_t port = 20'000;
constexpr std::uint64_t session_id = 7;

std::shared_ptr<const offer_template> ours(std::vector<std::string> profiles = {"RTP/AVP"}) {
  media_capabilities made;
  made.profiles = std::move(profiles);
  return std::make_shared<const offer_template>("192.0.2.1", made);
}

/// Of "o=- 1000000007 3 IN ..." the 3.
std::string version_of(const std::string& text) {
  const auto at = text.find("1000000007 ") + 11;
  return text.substr(at, text.find(' ', at) - at);
}

std::string peers(std::string_view media = "m=audio 30000 RTP/AVP 0\r\n") {
  return "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n" +
         std::string{media};
}

TEST(negotiation_record, nothing_is_kept_before_something_was_agreed_on) {
  negotiation n{ours(), port, session_id};
  EXPECT_FALSE(n.record());
  ASSERT_TRUE(n.offer(direction::sendrecv));
  EXPECT_FALSE(n.record());
}

TEST(negotiation_record, the_next_description_has_the_next_version) {
  negotiation before{ours(), port, session_id};
  const auto offer = before.offer(direction::sendrecv).value();
  EXPECT_EQ(version_of(offer.text), "1");
  ASSERT_TRUE(before.take_answer(offer.number, peers()));
  const auto hold = before.offer(direction::sendonly).value();
  EXPECT_EQ(version_of(hold.text), "2");
  ASSERT_TRUE(before.take_answer(hold.number, peers() + "a=recvonly\r\n"));
  const auto kept = before.record();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->way, direction::sendonly);
  EXPECT_FALSE(kept->held);

  negotiation after{ours(), port, session_id};
  ASSERT_TRUE(after.take_up(*kept));
  EXPECT_EQ(after.agreed(), direction::sendonly);
  const auto again = after.offer(kept->way).value();
  EXPECT_EQ(version_of(again.text), "3");
  EXPECT_THAT(again.text, HasSubstr("a=sendonly\r\n"));
  EXPECT_TRUE(after.take_answer(again.number, peers() + "a=recvonly\r\n"));
}

TEST(negotiation_record, keeps_that_the_peer_holds_us) {
  negotiation before{ours(), port, session_id};
  const auto first = before.take_offer(peers() + "a=sendonly\r\n").value();
  ASSERT_TRUE(before.answer(first, direction::sendrecv));
  const auto kept = before.record().value();
  EXPECT_TRUE(kept.held);
  negotiation after{ours(), port, session_id};
  ASSERT_TRUE(after.take_up(kept));
  EXPECT_TRUE(after.held_by_peer());
}

TEST(negotiation_record, an_offer_keeps_the_lines_that_the_peer_laid_out) {
  negotiation before{ours({"RTP/SAVP", "RTP/AVP"}), port, session_id};
  const auto theirs = before
                        .take_offer(peers("m=video 30002 RTP/AVP 31\r\n"
                                          "m=audio 30000 RTP/AVP 8 96\r\n"
                                          "a=rtpmap:96 telephone-event/8000\r\n"))
                        .value();
  ASSERT_TRUE(before.answer(theirs, direction::sendrecv));
  const auto expected = before.offer(direction::sendrecv).value().text;

  before.rollback();
  const auto kept = before.record().value();
  negotiation after{ours({"RTP/SAVP", "RTP/AVP"}), port, session_id};
  ASSERT_TRUE(after.take_up(kept));
  const auto offer = after.offer(direction::sendrecv).value().text;
  EXPECT_THAT(offer, HasSubstr("m=video 0 RTP/AVP 31\r\n"));
  EXPECT_EQ(version_of(offer), "3");
  EXPECT_EQ(offer.substr(offer.find("s=")), expected.substr(expected.find("s=")));
}

TEST(negotiation_record, of_other_codecs_is_refused) {
  negotiation_record kept;
  kept.layout = media_layout{{{"audio", "RTP/AVP", "0"}}, 0, {}, false, {0}};
  negotiation after{ours(), port, session_id};
  const auto taken = after.take_up(kept);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().to_string(), "sdp: 1 codecs were numbered, expected ours, which are 3");
}

} // namespace
} // namespace jackfield::sdp
