#include "engine/sdp/negotiation.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <random>
#include <type_traits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdp/samples.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;
using state = negotiation::state;

static_assert(sizeof(negotiation) <= 96, "20,000 dialogs have one each");
static_assert(std::is_copy_assignable_v<negotiation>);
static_assert(std::is_nothrow_move_constructible_v<negotiation>);

constexpr std::array<direction, 4> all_directions{direction::sendrecv, direction::sendonly,
                                                  direction::recvonly, direction::inactive};

std::shared_ptr<const offer_template> local_at(std::string_view host,
                                               media_capabilities with = {}) {
  return std::make_shared<const offer_template>(host, std::move(with));
}

negotiation ours(media_capabilities with = {}) {
  return {local_at("198.51.100.7", std::move(with)), 20'000, 77};
}

negotiation theirs(media_capabilities with = {}) {
  return {local_at("192.0.2.1", std::move(with)), 40'000, 5};
}

session parsed(std::string_view text) {
  auto got = parse(text);
  EXPECT_TRUE(got) << got.error().to_string() << "\n" << text;
  return got.value_or(session{});
}

std::uint64_t version_of(std::string_view text) {
  return parsed(text).from.version;
}

/// A description with one m-line and what belongs to it, from 192.0.2.1.
std::string with_media(const std::string& media) {
  return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + media;
}

template <class T>
T must(result<T> got) {
  if (!got) {
    ADD_FAILURE() << got.error().to_string();
    return {};
  }
  return std::move(*got);
}

template <class T>
std::string refusal(const result<T>& got) {
  return got ? "no error" : got.error().to_string();
}

/// A whole exchange: `from` offers, `to` answers. Returns what each side sent.
struct exchanged {
  made_offer offer;
  made_answer answer;
  negotiated_audio taken;
};

exchanged exchange(negotiation& from, direction offering, negotiation& to, direction answering) {
  exchanged made;
  made.offer = must(from.offer(offering));
  auto number = must(to.take_offer(made.offer.text));
  made.answer = must(to.answer(number, answering));
  made.taken = must(from.take_answer(made.offer.number, made.answer.text));
  return made;
}

TEST(negotiation, an_offer_is_answered) {
  auto us = ours();
  auto them = theirs();
  EXPECT_EQ(us.current(), state::stable);
  EXPECT_FALSE(us.agreed());
  auto offer = must(us.offer(direction::sendrecv));
  EXPECT_NE(offer.number, 0u);
  EXPECT_EQ(us.current(), state::local_offer);
  auto number = must(them.take_offer(offer.text));
  EXPECT_NE(number, 0u);
  EXPECT_EQ(them.current(), state::remote_offer);
  EXPECT_FALSE(them.agreed());
  auto answer = must(them.answer(number, direction::sendrecv));
  EXPECT_EQ(them.current(), state::stable);
  EXPECT_EQ(answer.audio.remote_host, "198.51.100.7");
  EXPECT_EQ(answer.audio.remote_port, 20'000);
  auto taken = must(us.take_answer(offer.number, answer.text));
  EXPECT_EQ(us.current(), state::stable);
  EXPECT_EQ(taken.remote_host, "192.0.2.1");
  EXPECT_EQ(taken.remote_port, 40'000);
  EXPECT_EQ(us.agreed(), direction::sendrecv);
  EXPECT_EQ(them.agreed(), direction::sendrecv);
  EXPECT_FALSE(us.held_by_peer());
  EXPECT_FALSE(them.held_by_peer());
}

TEST(negotiation, the_first_offer_is_the_template_s) {
  offer_template local("198.51.100.7", {});
  std::string expected(local.size(), '\0');
  ASSERT_TRUE(local.render(20'000, 77, expected));
  EXPECT_EQ(must(ours().offer(direction::sendrecv)).text, expected);
}

TEST(negotiation, a_port_or_session_id_that_no_template_renders_is_offered_all_the_same) {
  negotiation us(local_at("198.51.100.7"), 9, std::numeric_limits<std::uint64_t>::max());
  auto offer = parsed(must(us.offer(direction::sendrecv)).text);
  EXPECT_EQ(offer.media[0].port, 9);
  EXPECT_EQ(offer.from.version, 1u);
  EXPECT_GE(offer.from.session_id, offer_template::session_id_base);
  EXPECT_LE(offer.from.session_id,
            offer_template::session_id_base + offer_template::max_session_id);
  us.rollback();
  us.set_port(20'000);
  auto next = parsed(must(us.offer(direction::sendrecv)).text);
  EXPECT_EQ(next.from.session_id, offer.from.session_id);
  EXPECT_EQ(next.from.version, 2u);
}

TEST(negotiation, only_a_stable_one_offers) {
  auto us = ours();
  auto offer = must(us.offer(direction::sendrecv));
  EXPECT_EQ(refusal(us.offer(direction::sendrecv)),
            "sdp offer: offer 1 of ours is open, expected none");
  auto them = theirs();
  must(them.take_offer(offer.text));
  EXPECT_EQ(refusal(them.offer(direction::sendrecv)),
            "sdp offer: offer 1 of the peer's is open, expected none");
  EXPECT_EQ(us.current(), state::local_offer);
  EXPECT_EQ(them.current(), state::remote_offer);
}

TEST(negotiation, offers_that_cross_are_glare) {
  auto us = ours();
  auto them = theirs();
  auto a = must(us.offer(direction::sendrecv));
  auto b = must(them.offer(direction::sendrecv));
  EXPECT_EQ(refusal(us.take_offer(b.text)), "sdp offer: an offer of ours is open (1)");
  EXPECT_EQ(refusal(them.take_offer(a.text)), "sdp offer: an offer of ours is open (1)");
  EXPECT_EQ(us.current(), state::local_offer);
  EXPECT_TRUE(us.refuse(a.number)); // both were answered with 491; one waits for longer
  EXPECT_TRUE(them.refuse(b.number));
  auto again = exchange(us, direction::sendrecv, them, direction::sendrecv);
  EXPECT_GT(again.offer.number, a.number);
  EXPECT_EQ(again.offer.text, a.text) << "what was offered before has no other version";
}

TEST(negotiation, a_second_offer_of_the_peer_is_refused) {
  auto us = ours();
  auto number = must(us.take_offer(tests::g711_offer));
  EXPECT_EQ(refusal(us.take_offer(tests::g711_offer)), "sdp offer: another offer is open (1)");
  EXPECT_TRUE(us.answer(number, direction::sendrecv));
}

TEST(negotiation, what_cannot_be_accepted_is_refused_before_it_rings) {
  auto us = ours();
  EXPECT_EQ(refusal(us.take_offer(with_media("m=audio 9000 RTP/AVP 18\r\n"))),
            "sdp offer: no codec in common for the audio stream");
  EXPECT_EQ(refusal(us.take_offer(with_media("m=video 9000 RTP/AVP 96\r\n"))),
            "sdp offer: no audio stream is offered");
  EXPECT_EQ(refusal(us.take_offer("v=0\r\nx")),
            "sdp offer: sdp line 2: not of the form type=value");
  EXPECT_THAT(refusal(us.take_offer("")), HasSubstr("sdp offer: "));
  EXPECT_EQ(us.current(), state::stable);
  EXPECT_TRUE(us.offer(direction::sendrecv)) << "all is as it was";
}

TEST(negotiation, an_offer_that_refuses_every_stream_leaves_what_was_agreed) {
  auto us = ours();
  auto them = theirs();
  exchange(us, direction::sendonly, them, direction::sendrecv);
  EXPECT_EQ(refusal(us.take_offer(with_media("m=audio 0 RTP/AVP 0\r\n"))),
            "sdp offer: the audio stream is disabled (port 0)");
  EXPECT_EQ(us.current(), state::stable);
  EXPECT_EQ(us.agreed(), direction::sendonly);
}

TEST(negotiation, a_late_a_second_and_a_withdrawn_answer_do_not_apply) {
  auto us = ours();
  auto them = theirs();
  EXPECT_EQ(refusal(us.take_answer(0, tests::g711_offer)), "sdp answer: offer 0 is not open");
  EXPECT_EQ(refusal(us.take_answer(1, tests::g711_offer)), "sdp answer: offer 1 is not open");
  auto first = exchange(us, direction::sendonly, them, direction::sendrecv);
  EXPECT_EQ(refusal(us.take_answer(first.offer.number, first.answer.text)),
            "sdp answer: offer 1 is not open");
  EXPECT_EQ(refusal(them.answer(1, direction::sendrecv)), "sdp answer: offer 1 is not open");
  auto withdrawn = must(us.offer(direction::sendrecv));
  us.rollback();
  EXPECT_EQ(refusal(us.take_answer(withdrawn.number, first.answer.text)),
            "sdp answer: offer 2 is not open");
  EXPECT_EQ(us.agreed(), direction::sendonly);
  auto next = must(us.offer(direction::inactive));
  for (auto number : {first.offer.number, withdrawn.number}) {
    EXPECT_EQ(refusal(us.take_answer(number, first.answer.text)),
              "sdp answer: offer " + std::to_string(number) + " is not open, 3 is");
    EXPECT_FALSE(us.preview(number, first.answer.text));
    EXPECT_FALSE(us.refuse(number));
  }
  EXPECT_EQ(us.current(), state::local_offer);
  EXPECT_TRUE(us.take_answer(next.number, first.answer.text));
}

TEST(negotiation, an_answer_of_ours_is_for_one_offer) {
  auto us = ours();
  auto cancelled = must(us.take_offer(tests::g711_offer));
  us.rollback();
  EXPECT_EQ(refusal(us.answer(cancelled, direction::sendrecv)), "sdp answer: offer 1 is not open");
  auto next = must(us.take_offer(tests::g711_offer));
  EXPECT_NE(next, cancelled);
  EXPECT_EQ(refusal(us.answer(cancelled, direction::sendrecv)),
            "sdp answer: offer 1 is not open, 2 is");
  EXPECT_EQ(refusal(us.early_answer(cancelled, direction::sendrecv)),
            "sdp answer: offer 1 is not open, 2 is");
  EXPECT_EQ(refusal(us.refuse(cancelled)), "sdp offer: offer 1 is not open, 2 is");
  EXPECT_EQ(us.current(), state::remote_offer);
  EXPECT_TRUE(us.answer(next, direction::sendrecv));
}

TEST(negotiation, each_side_answers_the_other_s_offers_only) {
  auto us = ours();
  auto mine = must(us.offer(direction::sendrecv));
  EXPECT_EQ(refusal(us.answer(mine.number, direction::sendrecv)), "sdp answer: offer 1 is ours");
  us.rollback();
  auto number = must(us.take_offer(tests::g711_offer));
  EXPECT_EQ(refusal(us.take_answer(number, tests::g711_offer)),
            "sdp answer: offer 2 is the peer's");
  EXPECT_EQ(refusal(us.preview(number, tests::g711_offer)), "sdp answer: offer 2 is the peer's");
}

TEST(negotiation, a_refused_offer_leaves_what_was_agreed) {
  auto us = ours();
  auto them = theirs();
  exchange(us, direction::sendrecv, them, direction::sendrecv);
  auto hold = must(us.offer(direction::inactive));
  auto number = must(them.take_offer(hold.text));
  EXPECT_TRUE(them.refuse(number));
  EXPECT_TRUE(us.refuse(hold.number));
  EXPECT_EQ(refusal(us.refuse(hold.number)), "sdp offer: offer 2 is not open");
  for (auto* each : {&us, &them}) {
    EXPECT_EQ(each->current(), state::stable);
    EXPECT_EQ(each->agreed(), direction::sendrecv);
    EXPECT_FALSE(each->held_by_peer());
    each->rollback(); // nothing is open: nothing happens
    EXPECT_EQ(each->current(), state::stable);
  }
}

TEST(negotiation, an_answer_that_does_not_fit_closes_the_offer) {
  auto us = ours();
  auto them = theirs();
  exchange(us, direction::sendonly, them, direction::sendrecv);
  const std::vector<std::pair<std::string, std::string>> bad{
    {with_media("m=audio 0 RTP/AVP 0\r\n"), "sdp answer: every audio stream is refused"},
    {with_media("m=audio 9 RTP/AVP 18\r\n"),
     "sdp answer: no codec of the offer for the audio stream"},
    {with_media(""), "sdp answer: 0 m-lines, expected 1 as in the offer"},
    {"v=1", "sdp answer: sdp line 1: "},
    {"", "sdp answer: no description, expected an answer to offer "}};
  for (const auto& [text, cause] : bad) {
    auto offer = must(us.offer(direction::sendrecv));
    EXPECT_THAT(refusal(us.take_answer(offer.number, text)), HasSubstr(cause));
    EXPECT_EQ(us.current(), state::stable);
    EXPECT_EQ(us.agreed(), direction::sendonly);
  }
}

TEST(negotiation, a_preview_leaves_the_offer_open) {
  auto us = ours();
  auto them = theirs();
  auto offer = must(us.offer(direction::sendrecv));
  auto answer = must(them.answer(must(them.take_offer(offer.text)), direction::sendonly));
  auto early = must(us.preview(offer.number, answer.text));
  EXPECT_EQ(early.way, direction::recvonly);
  EXPECT_EQ(early.remote_port, 40'000);
  EXPECT_EQ(us.current(), state::local_offer);
  EXPECT_FALSE(us.agreed());
  EXPECT_EQ(must(us.take_answer(offer.number, answer.text)), early);
  EXPECT_EQ(us.agreed(), direction::recvonly);
  EXPECT_TRUE(us.held_by_peer());
}

TEST(negotiation, a_final_answer_may_be_missing_or_another_one_after_a_preview) {
  auto us = ours();
  auto offer = must(us.offer(direction::sendrecv));
  auto early = with_media("m=audio 9000 RTP/AVP 0\r\na=sendonly\r\n");
  auto later = with_media("m=audio 9002 RTP/AVP 8\r\n");
  EXPECT_FALSE(us.preview(offer.number, with_media("m=audio 0 RTP/AVP 0\r\n")));
  EXPECT_FALSE(us.preview(offer.number, ""));
  EXPECT_EQ(us.current(), state::local_offer);
  auto previewed = must(us.preview(offer.number, early));
  EXPECT_FALSE(us.preview(offer.number, "v=1")) << "what was previewed before stands";

  auto silent = us;
  EXPECT_EQ(must(silent.take_answer(offer.number, "")), previewed);
  EXPECT_EQ(silent.agreed(), direction::recvonly);
  EXPECT_FALSE(silent.take_answer(offer.number, ""));

  auto other = us;
  EXPECT_EQ(must(other.take_answer(offer.number, later)).remote_port, 9002);
  EXPECT_EQ(other.agreed(), direction::sendrecv);

  auto twice = us;
  must(twice.preview(offer.number, later));
  EXPECT_EQ(must(twice.take_answer(offer.number, "")).remote_port, 9002);

  us.rollback();
  auto next = must(us.offer(direction::sendrecv));
  EXPECT_FALSE(us.take_answer(next.number, "")) << "a preview is of one offer";
}

TEST(negotiation, early_forks_are_copies) {
  auto us = ours();
  auto offer = must(us.offer(direction::sendrecv));
  auto first = us;
  auto second = us;
  must(first.preview(offer.number, with_media("m=audio 9000 RTP/AVP 0\r\n")));
  EXPECT_FALSE(second.take_answer(offer.number, "")) << "a preview belongs to one fork";
  second = us;
  auto audio =
    must(second.take_answer(offer.number, with_media("m=audio 9002 RTP/AVP 8\r\na=inactive\r\n")));
  EXPECT_EQ(audio.remote_port, 9002);
  EXPECT_EQ(second.agreed(), direction::inactive);
  EXPECT_EQ(first.current(), state::local_offer);
  EXPECT_EQ(must(first.take_answer(offer.number, "")).remote_port, 9000);
  EXPECT_EQ(first.agreed(), direction::sendrecv);
  EXPECT_EQ(us.current(), state::local_offer);
  EXPECT_EQ(version_of(must(first.offer(direction::inactive)).text), 2u);
  EXPECT_EQ(version_of(must(second.offer(direction::sendonly)).text), 2u);
}

TEST(negotiation, copies_of_an_open_offer_answer_for_themselves) {
  auto us = ours();
  auto number = must(us.take_offer(tests::g711_offer));
  auto copy = us;
  copy.set_port(30'000);
  EXPECT_EQ(parsed(must(copy.answer(number, direction::inactive)).text).media[0].port, 30'000);
  EXPECT_EQ(us.current(), state::remote_offer);
  auto answer = must(us.answer(number, direction::sendrecv));
  EXPECT_EQ(answer.audio.way, direction::sendrecv);
  EXPECT_EQ(parsed(answer.text).media[0].port, 20'000);
}

TEST(negotiation, an_early_answer_of_ours_is_repeated_by_the_final_one) {
  auto us = ours();
  auto number = must(us.take_offer(tests::g711_offer));
  auto early = must(us.early_answer(number, direction::sendrecv));
  EXPECT_EQ(us.current(), state::remote_offer);
  EXPECT_FALSE(us.agreed());
  auto last = must(us.answer(number, direction::sendrecv));
  EXPECT_EQ(last.text, early.text);
  EXPECT_EQ(last.audio, early.audio);
  EXPECT_EQ(us.agreed(), direction::sendrecv);
}

TEST(negotiation, every_pair_of_directions_meets) {
  for (auto offering : all_directions) {
    for (auto answering : all_directions) {
      auto us = ours();
      auto them = theirs();
      auto got = exchange(us, offering, them, answering);
      EXPECT_EQ(us.agreed(), common(offering, reversed(answering)));
      EXPECT_EQ(them.agreed(), reversed(*us.agreed()));
      EXPECT_EQ(got.taken.way, us.agreed());
      EXPECT_EQ(got.answer.audio.way, them.agreed());
      EXPECT_EQ(*find<direction>(parsed(got.offer.text).media[0].attributes), offering);
      EXPECT_EQ(*find<direction>(parsed(got.answer.text).media[0].attributes), them.agreed());
      EXPECT_EQ(them.held_by_peer(), !receives(offering));
      EXPECT_EQ(us.held_by_peer(), sends(offering) && !receives(answering));
    }
  }
}

TEST(negotiation, both_sides_hold_and_resume) {
  auto us = ours();
  auto them = theirs();
  exchange(us, direction::sendrecv, them, direction::sendrecv);
  exchange(us, direction::sendonly, them, direction::sendrecv);
  EXPECT_EQ(us.agreed(), direction::sendonly);
  EXPECT_TRUE(them.held_by_peer());
  EXPECT_FALSE(us.held_by_peer());
  exchange(them, direction::sendonly, us, direction::sendonly); // they hold too
  EXPECT_EQ(us.agreed(), direction::inactive);
  EXPECT_TRUE(us.held_by_peer());
  exchange(us, direction::sendrecv, them, direction::sendonly); // we resume, they still hold
  EXPECT_EQ(us.agreed(), direction::recvonly);
  EXPECT_TRUE(us.held_by_peer());
  EXPECT_FALSE(them.held_by_peer());
  exchange(them, direction::sendrecv, us, direction::sendrecv);
  EXPECT_EQ(us.agreed(), direction::sendrecv);
  EXPECT_EQ(them.agreed(), direction::sendrecv);
  EXPECT_FALSE(us.held_by_peer());
}

TEST(negotiation, an_answer_that_had_no_choice_does_not_tell_who_holds) {
  auto us = ours();
  auto them = theirs();
  exchange(them, direction::sendonly, us, direction::sendrecv);
  EXPECT_TRUE(us.held_by_peer());
  exchange(us, direction::inactive, them, direction::sendrecv);
  EXPECT_TRUE(us.held_by_peer());
  exchange(us, direction::sendrecv, them, direction::sendrecv);
  EXPECT_FALSE(us.held_by_peer());
  exchange(us, direction::inactive, them, direction::sendrecv);
  EXPECT_FALSE(us.held_by_peer());
}

TEST(negotiation, an_unspecified_address_is_hold) {
  auto us = ours();
  auto held = with_media("m=audio 9000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
  auto answer = must(us.answer(must(us.take_offer(held)), direction::sendrecv));
  EXPECT_EQ(answer.audio.way, direction::recvonly);
  EXPECT_EQ(answer.audio.remote_host, "");
  EXPECT_THAT(answer.text, HasSubstr("a=recvonly\r\n"));
  EXPECT_EQ(us.agreed(), direction::recvonly);
  EXPECT_TRUE(us.held_by_peer());
  must(us.answer(must(us.take_offer(tests::g711_offer)), direction::sendrecv));
  EXPECT_FALSE(us.held_by_peer());
  auto offer = must(us.offer(direction::sendrecv));
  EXPECT_EQ(must(us.take_answer(offer.number, held)).way, direction::recvonly);
  EXPECT_TRUE(us.held_by_peer());
}

TEST(negotiation, the_version_counts_descriptions_that_differ) {
  auto us = ours();
  auto them = theirs();
  auto first = exchange(us, direction::sendrecv, them, direction::sendrecv);
  EXPECT_EQ(version_of(first.offer.text), 1u);
  EXPECT_EQ(version_of(first.answer.text), 1u);
  auto refresh = exchange(us, direction::sendrecv, them, direction::sendrecv);
  EXPECT_EQ(refresh.offer.text, first.offer.text);
  EXPECT_EQ(refresh.answer.text, first.answer.text);
  auto hold = exchange(us, direction::sendonly, them, direction::sendrecv);
  EXPECT_EQ(version_of(hold.offer.text), 2u);
  EXPECT_EQ(version_of(hold.answer.text), 2u);
  auto resume = exchange(us, direction::sendrecv, them, direction::sendrecv);
  EXPECT_EQ(version_of(resume.offer.text), 3u) << "not the first one's: versions don't fall";
  EXPECT_EQ(version_of(resume.answer.text), 3u);
  auto back = exchange(them, direction::sendrecv, us, direction::sendrecv);
  EXPECT_EQ(version_of(back.offer.text), 4u) << "it offers more than was answered";
  EXPECT_EQ(version_of(back.answer.text), 4u);
  // Only the version differs within o=, and it grows by one digit in place.
  for (int i = 0; i < 10; ++i) {
    exchange(us, direction::inactive, them, direction::sendrecv);
    resume = exchange(us, direction::sendrecv, them, direction::sendrecv);
  }
  auto last = parsed(resume.offer.text);
  EXPECT_EQ(last.from.version, 24u);
  last.from.version = 1;
  EXPECT_EQ(last, parsed(first.offer.text));
}

TEST(negotiation, a_description_that_was_refused_keeps_its_version_to_itself) {
  auto us = ours();
  auto them = theirs();
  exchange(us, direction::sendrecv, them, direction::sendrecv);
  auto hold = must(us.offer(direction::sendonly));
  us.rollback();
  EXPECT_EQ(must(us.offer(direction::sendonly)).text, hold.text);
  us.rollback();
  EXPECT_EQ(version_of(must(us.offer(direction::inactive)).text), 3u);
}

TEST(negotiation, a_delayed_offer_goes_into_the_2xx_and_its_answer_into_the_ack) {
  auto caller = ours();
  auto callee = theirs();
  auto offer = must(callee.offer(direction::sendrecv)); // the INVITE had none
  auto answer = must(caller.answer(must(caller.take_offer(offer.text)), direction::sendrecv));
  EXPECT_EQ(must(callee.take_answer(offer.number, answer.text)).remote_port, 20'000);
  EXPECT_EQ(callee.agreed(), direction::sendrecv);
  // And again within the call, where the ACK lacks it.
  auto again = must(callee.offer(direction::sendrecv));
  EXPECT_FALSE(callee.take_answer(again.number, ""));
  EXPECT_EQ(callee.current(), state::stable);
  EXPECT_EQ(callee.agreed(), direction::sendrecv);
}

TEST(negotiation, the_port_may_come_later_and_change) {
  negotiation us(local_at("198.51.100.7"), 0, 1);
  EXPECT_EQ(refusal(us.offer(direction::sendrecv)), "sdp offer: no local port to offer");
  EXPECT_EQ(us.current(), state::stable);
  auto number = must(us.take_offer(tests::g711_offer));
  EXPECT_EQ(refusal(us.answer(number, direction::sendrecv)),
            "sdp answer: no local port to answer with");
  EXPECT_EQ(us.current(), state::remote_offer);
  us.set_port(20'002);
  auto answer = must(us.answer(number, direction::sendrecv));
  EXPECT_EQ(parsed(answer.text).media[0].port, 20'002);
  EXPECT_EQ(version_of(answer.text), 1u);
  us.set_port(20'004);
  EXPECT_EQ(us.port(), 20'004);
  auto offer = must(us.offer(direction::sendrecv));
  EXPECT_EQ(parsed(offer.text).media[0].port, 20'004);
  EXPECT_EQ(version_of(offer.text), 2u);
  us.set_port(20'006);
  EXPECT_TRUE(us.take_answer(offer.number, tests::g711_offer));
  auto next = must(us.offer(direction::sendrecv));
  EXPECT_EQ(parsed(next.text).media[0].port, 20'006);
  EXPECT_EQ(version_of(next.text), 3u);
}

TEST(negotiation, the_next_offer_keeps_the_peer_s_streams_and_numbers) {
  media_capabilities with;
  with.codecs = {opus(96), g722(), pcmu(), telephone_event(101)};
  with.profiles = {"RTP/AVP", "RTP/AVPF"};
  auto us = ours(with);
  auto offer = with_media("m=video 5000 RTP/AVP 96 97\r\na=rtpmap:96 VP8/90000\r\n"
                          "m=audio 9000 RTP/AVPF 101 0 96\r\na=rtpmap:101 opus/48000/2\r\n"
                          "a=rtpmap:96 telephone-event/8000\r\na=mid:sound\r\n"
                          "m=image 0 udptl\r\n");
  must(us.answer(must(us.take_offer(offer)), direction::sendrecv));
  auto hold = must(us.offer(direction::sendonly));
  auto made = parsed(hold.text);
  ASSERT_EQ(made.media.size(), 3u) << hold.text;
  EXPECT_EQ(made.media[0].type, "video");
  EXPECT_EQ(made.media[0].port, 0);
  EXPECT_EQ(made.media[0].formats, std::vector<std::string>{"96"});
  EXPECT_EQ(made.media[2].type, "image");
  EXPECT_EQ(made.media[2].port, 0);
  const auto& audio = made.media[1];
  EXPECT_EQ(audio.port, 20'000);
  EXPECT_EQ(audio.profile, "RTP/AVPF");
  EXPECT_EQ(audio.formats, (std::vector<std::string>{"101", "9", "0", "96"}));
  EXPECT_EQ(codecs_of(audio).front().encoding, "opus");
  EXPECT_TRUE(is_telephone_event(codecs_of(audio).back()));
  ASSERT_NE(find<mid>(audio.attributes), nullptr);
  EXPECT_EQ(find<mid>(audio.attributes)->tag, "sound");
  EXPECT_EQ(*find<direction>(audio.attributes), direction::sendonly);

  auto them = theirs(with);
  auto answer = must(them.answer(must(them.take_offer(hold.text)), direction::sendrecv));
  auto taken = must(us.take_answer(hold.number, answer.text));
  EXPECT_EQ(taken.media_index, 1u);
  EXPECT_EQ(taken.send_payload_type, 101);
  EXPECT_EQ(taken.way, direction::sendonly);
  // Back in a plain layout where the peer offers one (it ought not to).
  must(us.answer(must(us.take_offer(with_media("m=audio 9000 RTP/AVP 9 96 101\r\n"
                                               "a=rtpmap:96 opus/48000/2\r\n"
                                               "a=rtpmap:101 telephone-event/8000\r\n"))),
                 direction::sendrecv));
  EXPECT_EQ(parsed(must(us.offer(direction::sendrecv)).text).media.size(), 1u);
}

TEST(negotiation, a_refused_offer_does_not_change_the_layout) {
  auto us = ours();
  auto them = theirs();
  exchange(us, direction::sendrecv, them, direction::sendrecv);
  auto number = must(us.take_offer(with_media("m=video 0 RTP/AVP 96\r\nm=audio 9 RTP/AVP 0\r\n")));
  EXPECT_TRUE(us.early_answer(number, direction::sendrecv));
  EXPECT_TRUE(us.refuse(number));
  EXPECT_EQ(parsed(must(us.offer(direction::sendrecv)).text).media.size(), 1u);
}

TEST(negotiation, a_codec_whose_number_the_peer_took_gets_another) {
  media_capabilities with;
  with.codecs = {pcmu(), opus(101), telephone_event(96)};
  auto us = ours(with);
  auto offer = with_media("m=audio 9 RTP/AVP 0 101 96 97\r\na=rtpmap:101 iLBC/8000\r\n"
                          "a=rtpmap:96 speex/8000\r\na=rtpmap:97 telephone-event/8000\r\n");
  must(us.answer(must(us.take_offer(offer)), direction::sendrecv));
  auto next = must(us.offer(direction::sendrecv));
  EXPECT_EQ(parsed(next.text).media[0].formats, (std::vector<std::string>{"0", "98", "97"}));
  EXPECT_THAT(next.text, HasSubstr("a=rtpmap:98 opus/48000/2\r\n"));
  us.rollback();
  // Where no number is left the codec is left out.
  std::string all = "m=audio 9 RTP/AVP 0";
  std::string maps;
  for (int number = 96; number <= 127; ++number) {
    all += ' ' + std::to_string(number);
    maps += "a=rtpmap:" + std::to_string(number) + " speex/8000\r\n";
  }
  auto full = ours(with);
  must(full.answer(must(full.take_offer(with_media(all + "\r\n" + maps))), direction::sendrecv));
  EXPECT_EQ(parsed(must(full.offer(direction::sendrecv)).text).media[0].formats,
            std::vector<std::string>{"0"});
}

TEST(sec_03, every_description_of_others_negotiates_or_is_refused) {
  auto samples = tests::sdp_samples();
  samples.push_back({"g711", std::string(tests::g711_offer)});
  media_capabilities all;
  all.codecs = {opus(), g722(), pcmu(), pcma(), telephone_event(), telephone_event(110, 48'000)};
  all.profiles = {"RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"};
  all.rtcp_mux = true;
  std::size_t accepted = 0;
  for (const auto& sample : samples) {
    auto us = ours(all);
    if (auto number = us.take_offer(sample.text); number) {
      ++accepted;
      auto answer = must(us.answer(*number, direction::sendrecv));
      auto hold = must(us.offer(direction::inactive));
      EXPECT_EQ(parsed(hold.text).media.size(), parsed(sample.text).media.size()) << sample.name;
      EXPECT_TRUE(us.take_answer(hold.number, answer.text)) << sample.name;
    } else {
      EXPECT_EQ(number.error().place, "sdp offer") << sample.name;
      EXPECT_EQ(us.current(), state::stable) << sample.name;
    }
    auto offer = must(us.offer(direction::sendrecv));
    for (bool early : {true, false}) {
      auto got =
        early ? us.preview(offer.number, sample.text) : us.take_answer(offer.number, sample.text);
      EXPECT_TRUE(got || got.error().place == "sdp answer") << sample.name;
    }
    EXPECT_EQ(us.current(), state::stable) << sample.name;
  }
  EXPECT_GE(accepted, 1u);
}

/// Two sides that offer, answer, refuse, withdraw and cross each other by chance, and what must
/// hold whatever they do.
class two_sides {
public:
  explicit two_sides(std::uint32_t seed)
      : random_(seed), sides_{side(ours(left())), side(theirs(right()))} {}

  void step() {
    const auto which = pick(2);
    auto& from = sides_[which];
    auto& to = sides_[1 - which];
    switch (pick(10)) {
    case 0:
    case 1:
      offer(from);
      break;
    case 2:
    case 3:
      deliver(from, to);
      break;
    case 4:
    case 5:
    case 6:
      answer(from, to);
      break;
    case 7:
      give_up(from, to);
      break;
    case 8:
      replay(from);
      break;
    default:
      from.it.set_port(static_cast<std::uint16_t>(20'000 + pick(4)));
      from.it = negotiation(from.it);
      break;
    }
    check();
  }

  std::size_t agreements = 0;
  std::size_t glares = 0;
  std::size_t late = 0;

private:
  struct side {
    explicit side(negotiation made) : it(std::move(made)) {}

    negotiation it;
    std::optional<made_offer> underway; ///< ours, not yet with the peer
    std::optional<made_offer> open;     ///< ours, with the peer
    std::uint32_t taken = 0;            ///< the number of the peer's open offer
    std::uint32_t last_number = 0;
    std::uint64_t version = 0;
    std::string text;
    std::vector<std::pair<std::uint32_t, std::string>> old_answers;
  };

  static media_capabilities left() {
    media_capabilities made;
    made.codecs = {opus(111), pcmu(), telephone_event(101), telephone_event(96, 48'000)};
    return made;
  }

  /// The same codecs and one more, under numbers that collide with the left side's.
  static media_capabilities right() {
    media_capabilities made;
    made.codecs = {g722(),
                   opus(101),
                   pcmu(),
                   telephone_event(111),
                   telephone_event(97, 48'000),
                   {"L16", 16'000, 1, 96, ""}};
    return made;
  }

  std::size_t pick(std::size_t below) { return random_() % below; }
  direction pick_direction() { return all_directions[pick(all_directions.size())]; }

  void made(side& by, const std::string& text) {
    auto description = parsed(text);
    EXPECT_EQ(print(description), text);
    EXPECT_GE(description.from.version, by.version);
    EXPECT_LE(description.from.version, by.version + 1);
    EXPECT_EQ(description.from.version == by.version, text == by.text);
    by.version = description.from.version;
    by.text = text;
  }

  void offer(side& from) {
    const bool stable = from.it.current() == state::stable;
    auto got = from.it.offer(pick_direction());
    EXPECT_EQ(got.has_value(), stable);
    if (got) {
      EXPECT_GT(got->number, from.last_number);
      from.last_number = got->number;
      made(from, got->text);
      from.underway = std::move(*got);
    }
  }

  void deliver(side& from, side& to) {
    if (!from.underway) {
      return;
    }
    auto sent = *std::exchange(from.underway, std::nullopt);
    const bool stable = to.it.current() == state::stable;
    auto got = to.it.take_offer(sent.text);
    EXPECT_EQ(got.has_value(), stable) << refusal(got);
    if (!got) {
      ++glares;
      EXPECT_TRUE(from.it.refuse(sent.number));
      return;
    }
    EXPECT_GT(*got, to.last_number);
    to.taken = to.last_number = *got;
    from.open = std::move(sent);
  }

  /// `from` answers what `to` has offered.
  void answer(side& from, side& to) {
    if (!to.open) {
      EXPECT_FALSE(from.it.answer(from.last_number, direction::sendrecv));
      return;
    }
    const auto wanted = pick_direction();
    const auto sent = *std::exchange(to.open, std::nullopt);
    const bool early = pick(3) == 0;
    if (early) {
      auto got = must(from.it.early_answer(from.taken, wanted));
      made(from, got.text);
      EXPECT_EQ(must(to.it.preview(sent.number, got.text)).way, reversed(got.audio.way));
    }
    auto got = must(from.it.answer(from.taken, wanted));
    if (early) {
      EXPECT_EQ(got.text, from.text);
    }
    made(from, got.text);
    auto taken = must(to.it.take_answer(sent.number, early && pick(2) == 0 ? "" : got.text));
    EXPECT_EQ(taken.way, reversed(got.audio.way));
    EXPECT_EQ(taken.audio.encoding, got.audio.audio.encoding);
    EXPECT_EQ(taken.send_payload_type, got.audio.receive_payload_type);
    EXPECT_EQ(taken.send_event_payload_type, got.audio.receive_event_payload_type);
    to.old_answers.emplace_back(sent.number, got.text);
    keep_numbers(sent.text);
    keep_numbers(got.text);
    ++agreements;
  }

  /// `from` withdraws its offer, or `to` refuses it.
  void give_up(side& from, side& to) {
    if (from.underway) {
      from.underway.reset();
      from.it.rollback();
    } else if (from.open) {
      from.old_answers.emplace_back(from.open->number, to.text);
      EXPECT_TRUE(from.it.refuse(from.open->number));
      EXPECT_TRUE(to.it.refuse(to.taken));
      from.open.reset();
    }
  }

  void replay(side& from) {
    if (from.old_answers.empty()) {
      return;
    }
    const auto& [number, text] = from.old_answers[pick(from.old_answers.size())];
    const auto before = from.it.current();
    const auto agreed = from.it.agreed();
    EXPECT_FALSE(from.it.take_answer(number, text));
    EXPECT_FALSE(from.it.preview(number, text));
    EXPECT_FALSE(from.it.answer(number, direction::sendrecv));
    EXPECT_FALSE(from.it.refuse(number));
    EXPECT_EQ(from.it.current(), before);
    EXPECT_EQ(from.it.agreed(), agreed);
    ++late;
  }

  /// What a payload type meant once it means for the session's life (RFC 3264 section 8.3.2).
  void keep_numbers(const std::string& text) {
    for (const auto& each : codecs_of(parsed(text).media[0])) {
      auto meaning = each.encoding + '/' + std::to_string(each.clock_rate);
      auto [at, fresh] = meanings_.emplace(each.payload_type, meaning);
      EXPECT_EQ(at->second, meaning) << "payload type " << unsigned{each.payload_type};
    }
  }

  void check() {
    auto& a = sides_[0].it;
    auto& b = sides_[1].it;
    EXPECT_EQ(a.agreed().has_value(), b.agreed().has_value());
    if (a.current() == state::stable && b.current() == state::stable && a.agreed() && b.agreed()) {
      EXPECT_EQ(*a.agreed(), reversed(*b.agreed()));
    }
    EXPECT_EQ(a.current() == state::local_offer,
              sides_[0].underway.has_value() || sides_[0].open.has_value());
    EXPECT_EQ(a.current() == state::remote_offer, sides_[1].open.has_value());
  }

  std::mt19937 random_;
  std::array<side, 2> sides_;
  std::map<std::uint8_t, std::string> meanings_;
};

TEST(negotiation, two_sides_agree_whatever_crosses_between_them) {
  std::size_t agreements = 0;
  std::size_t glares = 0;
  std::size_t late = 0;
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    two_sides made(seed);
    for (int i = 0; i < 2'000; ++i) {
      made.step();
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", step " << i;
    }
    agreements += made.agreements;
    glares += made.glares;
    late += made.late;
  }
  EXPECT_GT(agreements, 2'000u);
  EXPECT_GT(glares, 1'000u);
  EXPECT_GT(late, 1'000u);
}

} // namespace
} // namespace jackfield::sdp
