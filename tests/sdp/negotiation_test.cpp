#include "engine/sdp/negotiation.hpp"

#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sdp/negotiation_sides.hpp"
#include "tests/sdp/samples.hpp"

namespace jackfield::sdp {
namespace {

using testing::HasSubstr;
using state = negotiation::state;

static_assert(sizeof(negotiation) <= 112, "20,000 dialogs have one each");
static_assert(std::is_copy_assignable_v<negotiation>);
static_assert(std::is_nothrow_move_constructible_v<negotiation>);

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

// The peer asks for it, and may take the same version for a copy.
TEST(negotiation, an_offer_that_was_asked_for_is_a_new_version) {
  auto us = ours();
  auto them = theirs();
  const auto first = exchange(us, direction::sendrecv, them, direction::sendrecv);
  const auto again = must(us.offer(direction::sendrecv, true));
  EXPECT_EQ(version_of(again.text), 2u);
  auto same = parsed(again.text);
  same.from.version = 1;
  EXPECT_EQ(same, parsed(first.offer.text));
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

TEST(sec_03, every_description_of_others_negotiates_or_is_refused) {
  auto samples = tests::sdp_samples();
  samples.push_back({"g711", std::string(tests::g711_offer)});
  media_capabilities all;
  all.codecs = {opus(), g722(), pcmu(), pcma(), telephone_event(), telephone_event(110, 48'000)};
  all.profiles = {"RTP/AVP", "RTP/SAVP", "RTP/AVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"};
  all.protections = {protection::dtls, protection::sdes, protection::none};
  all.suites = {"AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"};
  all.rtcp_mux = true;
  std::size_t accepted = 0;
  for (const auto& sample : samples) {
    auto us = ours(all);
    if (auto number = us.take_offer(sample.text); number) {
      ++accepted;
      const auto how = us.offered_protection();
      stream_transport own;
      for (const auto& suite : all.suites) {
        own.keys.push_back({static_cast<std::uint32_t>(own.keys.size() + 1), suite, "S0VZ"});
      }
      if (how == protection::dtls) {
        own = {{}, {{"sha-256", "AA:BB"}}, setup::actpass, {}};
      }
      us.set_transport(how == protection::none ? nullptr
                                               : std::make_shared<const stream_transport>(own));
      auto answer = must(us.answer(*number, direction::sendrecv));
      auto hold = must(us.offer(direction::inactive));
      EXPECT_EQ(parsed(hold.text).media.size(), parsed(sample.text).media.size()) << sample.name;
      // Ours as theirs: but for keys, whose tags are the offerer's.
      EXPECT_TRUE(us.take_answer(hold.number, answer.text) || how == protection::sdes)
        << sample.name;
    } else {
      EXPECT_TRUE(number.error().place.starts_with("sdp offer")) << sample.name;
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

} // namespace
} // namespace jackfield::sdp
