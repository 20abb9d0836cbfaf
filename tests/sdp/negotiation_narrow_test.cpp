// What a bridge between two peers needs: one learns what the other could do, and holds to what that
// one chose.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdp/negotiation_sides.hpp"

namespace jackfield::sdp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using state = negotiation::state;

constexpr const char* browser_media =
  "m=audio 9000 RTP/AVP 96 9 8 0 97 101\r\na=rtpmap:96 opus/48000/2\r\n"
  "a=rtpmap:97 telephone-event/48000\r\na=rtpmap:101 telephone-event/8000\r\n";

media_capabilities with(std::vector<codec> codecs) {
  media_capabilities made;
  made.codecs = std::move(codecs);
  return made;
}

std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> made;
  for (const auto& each : codecs_of(parsed(text).media.at(0))) {
    made.push_back(each.encoding + '/' + std::to_string(each.payload_type));
  }
  return made;
}

TEST(negotiation_narrow, offered_codecs_are_ours_in_the_order_of_the_offer) {
  auto us = ours(with({pcmu(), opus(), telephone_event(), pcma()}));
  EXPECT_TRUE(us.offered_codecs().empty()) << "nothing is offered";
  must(us.take_offer(with_media(browser_media)));
  EXPECT_THAT(us.offered_codecs(), ElementsAre(opus(), pcma(), pcmu(), telephone_event()));
}

TEST(negotiation_narrow, open_offer_is_answered_with_what_is_left) {
  auto us = ours(with({opus(), pcmu(), telephone_event()}));
  const auto number = must(us.take_offer(with_media(browser_media)));
  ASSERT_TRUE(us.narrow(local_at("198.51.100.7", with({pcmu(), telephone_event()}))));
  EXPECT_EQ(us.current(), state::remote_offer);
  const auto made = must(us.answer(number, direction::sendrecv));
  EXPECT_THAT(names_in(made.text), ElementsAre("PCMU/0", "telephone-event/101"));
  EXPECT_EQ(made.audio.audio.encoding, "PCMU");
  // So are later ones, and so is what we offer ourselves.
  const auto later = must(us.take_offer(with_media(browser_media)));
  EXPECT_THAT(names_in(must(us.answer(later, direction::sendrecv)).text),
              ElementsAre("PCMU/0", "telephone-event/101"));
  EXPECT_THAT(names_in(must(us.offer(direction::sendrecv)).text),
              ElementsAre("PCMU/0", "telephone-event/101"));
}

TEST(negotiation_narrow, own_offers_have_fewer_codecs_once_one_was_answered) {
  auto us = ours(with({opus(), pcmu(), pcma()}));
  auto them = theirs(with({pcma()}));
  const auto offer = must(us.offer(direction::sendrecv));
  const auto less = local_at("198.51.100.7", with({pcma()}));
  EXPECT_THAT(refusal(us.narrow(less)), HasSubstr("of ours is open"));
  const auto answer = must(them.answer(must(them.take_offer(offer.text)), direction::sendrecv));
  EXPECT_EQ(must(us.take_answer(offer.number, answer.text)).audio.encoding, "PCMA");
  ASSERT_TRUE(us.narrow(less));
  const auto hold = must(us.offer(direction::sendonly));
  EXPECT_THAT(names_in(hold.text), ElementsAre("PCMA/8"));
  const auto held = must(them.answer(must(them.take_offer(hold.text)), direction::sendrecv));
  EXPECT_TRUE(us.take_answer(hold.number, held.text));
}

TEST(negotiation_narrow, an_offer_that_nothing_is_left_of_stays_as_it_was) {
  auto us = ours(with({pcmu(), pcma()}));
  const auto number = must(us.take_offer(with_media("m=audio 9000 RTP/AVP 0\r\n")));
  EXPECT_THAT(refusal(us.narrow(local_at("198.51.100.7", with({pcma()})))),
              HasSubstr("no codec in common"));
  EXPECT_EQ(must(us.answer(number, direction::sendrecv)).audio.audio.encoding, "PCMU");
}

} // namespace
} // namespace jackfield::sdp
