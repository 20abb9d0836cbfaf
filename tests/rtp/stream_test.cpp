#include "engine/rtp/stream.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "tests/rtp/simulated_call.hpp"

namespace jackfield::rtp {
namespace {

const std::array<std::byte, 160> voice{};

uint32_t units_between(time_point a, time_point b) {
  return static_cast<uint32_t>(to_units(b - a, 8000));
}

/// Two ends that talk.
struct call {
  explicit call(const faults& there = {}, const faults& back = {}, uint32_t seed = 1)
      : world(seed) {
    a.send_to(b, there);
    b.send_to(a, back);
  }
  void connect() {
    a.connect();
    b.connect();
  }

  simulation world;
  party a{world, 0xa};
  party b{world, 0xb};
};

TEST(rtp_stream, keeps_its_pace_to_the_frame) {
  call c;
  auto how = party::usual();
  how.phase = 7ms;
  c.a.connect(how);
  c.world.run_for(60s);
  ASSERT_EQ(c.a.sent.size(), 3000u);
  for (size_t n = 0; n < c.a.sent.size(); ++n) {
    const auto& p = c.a.sent[n];
    ASSERT_EQ(p.at, start + 7ms + n * 20ms);
    ASSERT_EQ(p.sequence, static_cast<uint16_t>(c.a.sent[0].sequence + n));
    ASSERT_EQ(p.timestamp, c.a.sent[0].timestamp + n * 160);
    ASSERT_EQ(p.marker, n == 0) << n;
    ASSERT_EQ(p.payload_type, 8);
    ASSERT_EQ(p.ssrc, 0xau);
  }
  EXPECT_EQ(c.a.lateness, std::vector<duration>(3000));
}

TEST(rtp_stream, sends_and_hears_nothing_before_it_is_connected) {
  simulation world;
  party a{world, 1};
  a->tick(start + 1s, a);
  a.hear({8, true, 1, 1, 2}, voice);
  a->stop(start, a);
  EXPECT_EQ(a->deadline(), time_point::max());
  EXPECT_TRUE(a.sent.empty() && a.heard.empty() && a.reports.empty());
  EXPECT_FALSE(a->outcome().connected);
  EXPECT_FALSE(a->dial("1", start));
}

TEST(rtp_stream, judges_a_clean_call_as_good_as_can_be) {
  call c;
  c.connect();
  c.world.run_for(120s);
  for (auto* end : {&c.a, &c.b}) {
    const auto out = (*end)->outcome();
    EXPECT_EQ(out.packets_sent, 6000u);
    EXPECT_EQ(out.received.expected, 5999u); // the last is under way
    EXPECT_EQ(out.received.lost, 0u);
    EXPECT_EQ(out.received.jitter_max, 0ns);
    ASSERT_TRUE(out.round_trip);
    EXPECT_NEAR(static_cast<double>(out.round_trip->count()), 40e6, 1e5);
    ASSERT_TRUE(out.mos && out.remote_mos);
    EXPECT_GT(*out.mos, 4.35);
    EXPECT_GT(*out.remote_mos, 4.35);
    EXPECT_EQ(out.receiving, (payload_format{8, pcma}));
    EXPECT_EQ(out.other_types, 0u);
  }
}

/// The peer's opinion takes its report, and something sent that this is of.
TEST(rtp_stream, has_no_opinion_of_its_peers_before_it_sent_and_was_told_of_it) {
  call c;
  c.connect();
  c.world.run_for(1s);
  ASSERT_TRUE(c.b.reports.empty());
  const auto untold = c.a->outcome();
  EXPECT_EQ(untold.packets_sent, 50u);
  EXPECT_FALSE(untold.remote);
  EXPECT_FALSE(untold.remote_mos) << *untold.remote_mos;

  call d;
  d.a.silent = true;
  d.connect();
  for (uint16_t n = 0; n < 500; ++n) { // somebody else, of the same SSRC
    d.b.hear({8, n == 0, n, n * 160U, 0xa}, voice);
    d.world.run_for(20ms);
  }
  const auto unsent = d.a->outcome();
  EXPECT_EQ(unsent.packets_sent, 0u);
  ASSERT_TRUE(unsent.remote);
  EXPECT_FALSE(unsent.remote_mos) << *unsent.remote_mos;
}

TEST(rtp_stream, counts_what_the_network_did_by_many_seeds) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    call c{{.delay = 40ms, .jitter = 15ms, .loss = 0.03, .duplicate = 0.01, .reorder = 0.01},
           {.delay = 30ms},
           seed};
    c.connect();
    c.world.run_for(179s);
    c.a.send_to(c.b, {.delay = 40ms}); // none knows of a loss that nothing follows
    c.world.run_for(1s);
    c.a->stop(c.world.now, c.a);
    c.world.run_for(1s);
    c.b->stop(c.world.now, c.b); // its last report says all that it heard
    c.world.run_for(1s);
    const auto a = c.a->outcome();
    const auto b = c.b->outcome();
    ASSERT_EQ(a.packets_sent, 9000u);
    EXPECT_EQ(b.received.expected, 9000u) << seed;
    EXPECT_EQ(b.received.lost, c.a.lost.size()) << seed;
    EXPECT_EQ(b.received.duplicates, c.a.duplicated) << seed;
    EXPECT_NEAR(static_cast<double>(b.received.reordered), static_cast<double>(c.a.held_back), 15);
    EXPECT_EQ(c.b.heard.size() + 1, 9000 - c.a.lost.size()); // one for the source's probation
    EXPECT_GT(b.received.jitter_mean, 1ms);
    EXPECT_LT(b.received.jitter_mean, 15ms);
    ASSERT_TRUE(a.remote && a.remote_mos && b.mos);
    EXPECT_EQ(a.remote->cumulative_lost, static_cast<int32_t>(c.a.lost.size())) << seed;
    EXPECT_NEAR(static_cast<double>(a.round_trip->count()), 70e6, 1e5);
    EXPECT_LT(*b.mos, 4.3);
    EXPECT_GT(*b.mos, 3.6);
    EXPECT_NEAR(*b.mos, *a.remote_mos, 0.3);
    EXPECT_GT(*a.mos, 4.3);
  }
}

// A payload whose first byte says so repeats the one before it.
uint32_t repeats(std::span<const std::byte> payload) noexcept {
  return !payload.empty() && payload[0] == std::byte{1} ? 160 : 0;
}

TEST(rtp_stream, is_judged_better_where_the_next_packet_repeats_the_lost) {
  const auto hear = [](bool knows, std::byte kind) {
    simulation world;
    party a{world, 1};
    auto how = party::usual();
    if (knows)
      how.repeats = &repeats;
    a.connect(how);
    std::array<std::byte, 160> payload{kind};
    for (uint16_t n = 0; n < 1000; ++n) {
      if (n % 50 != 25)
        a.hear({8, false, n, n * 160U, 2}, payload);
      world.run_for(20ms);
    }
    return a->outcome();
  };
  const auto lossy = hear(true, std::byte{0});
  EXPECT_EQ(lossy.received.lost, 20u);
  EXPECT_EQ(lossy.received.recovered, 0u);
  EXPECT_EQ(hear(false, std::byte{1}).received.recovered, 0u);
  const auto repaired = hear(true, std::byte{1});
  EXPECT_EQ(repaired.received.lost, 20u);
  EXPECT_EQ(repaired.received.recovered, 20u);
  ASSERT_TRUE(lossy.mos && repaired.mos);
  EXPECT_GT(*repaired.mos, 4.35);
  EXPECT_LT(*lossy.mos, *repaired.mos - 0.1);
}

TEST(rtp_stream, reports_within_the_bounds_of_the_rfc_and_says_bye_once) {
  call c;
  c.connect();
  c.world.run_for(300s);
  ASSERT_GT(c.a.reports.size(), 30u);
  auto before = start;
  for (const auto& [at, bytes] : c.a.reports) {
    const duration least = before == start ? 1s : 2s;
    EXPECT_GE(at - before, least);
    EXPECT_LE(at - before, 7s);
    before = at;
    EXPECT_EQ(bytes[1], std::byte{200}); // SR
  }
  c.a->stop(c.world.now, c.a);
  const auto said = c.a.reports.size();
  EXPECT_EQ(c.a->deadline(), time_point::max());
  c.a->stop(c.world.now, c.a);
  c.world.run_for(60s);
  EXPECT_EQ(c.a.reports.size(), said);
  EXPECT_EQ(c.a.sent.size(), 15'000u);
  EXPECT_TRUE(c.b->rtcp().peer_left());
  EXPECT_GT(c.a->outcome().received.packets, 17'990u) << "it still hears";
}

TEST(rtp_stream, tells_in_its_report_what_media_time_it_is) {
  call c;
  c.connect();
  c.world.run_for(30s);
  const auto& [at, bytes] = c.a.reports.back();
  class ear final : public rtcp_visitor {
  public:
    void on_sender_report(uint32_t, const sender_info& info) override { said = info; }
    sender_info said;
  } heard;
  ASSERT_TRUE(parse_rtcp(bytes, heard));
  EXPECT_NEAR(heard.said.rtp_timestamp, c.a.sent[0].timestamp + units_between(c.a.sent[0].at, at),
              1);
}

TEST(rtp_stream, goes_on_after_hold_with_its_numbers_and_the_time) {
  call c;
  c.connect();
  c.world.run_for(10s);
  auto hold = party::usual();
  hold.sends = false;
  c.a.connect(hold);
  EXPECT_GT(c.a->deadline(), c.a->next_frame()) << "nothing is due by pace";
  c.world.run_for(30s + 13ms);
  ASSERT_EQ(c.a.sent.size(), 500u);
  c.a.connect();
  c.world.run_for(10s);
  ASSERT_EQ(c.a.sent.size(), 1000u);
  const auto& last = c.a.sent[499];
  const auto& next = c.a.sent[500];
  EXPECT_EQ(next.at, last.at + 30s + 40ms) << "in its old phase";
  EXPECT_EQ(next.sequence, static_cast<uint16_t>(last.sequence + 1));
  EXPECT_EQ(next.timestamp, last.timestamp + units_between(last.at, next.at));
  EXPECT_TRUE(next.marker);
  EXPECT_FALSE(c.a.sent[501].marker);
  const auto heard = c.b->outcome().received;
  EXPECT_EQ(heard.lost, 0u);
  EXPECT_EQ(heard.discarded, 0u);
  EXPECT_EQ(heard.jitter_max, 0ns);
}

TEST(rtp_stream, is_the_same_to_the_peer_when_ticked_through_its_hold) {
  call c;
  c.connect();
  c.world.run_for(1s);
  auto hold = party::usual();
  hold.sends = false;
  c.a.connect(hold);
  for (int i = 0; i < 500; ++i) {
    c.world.run_for(20ms);
    c.a->tick(c.world.now, c.a);
    EXPECT_GT(c.a->next_frame(), c.world.now);
  }
  c.a.connect();
  c.world.run_for(1s);
  const auto& last = c.a.sent[49];
  const auto& next = c.a.sent[50];
  EXPECT_EQ(next.sequence, static_cast<uint16_t>(last.sequence + 1));
  EXPECT_EQ(next.timestamp - last.timestamp, units_between(last.at, next.at));
}

TEST(rtp_stream, lets_time_pass_where_its_source_has_nothing) {
  call c;
  c.connect();
  c.world.run_for(1s);
  c.a.silent = true;
  c.world.run_for(2s);
  EXPECT_EQ(c.a.sent.size(), 50u);
  c.a.silent = false;
  c.world.run_for(1s);
  ASSERT_EQ(c.a.sent.size(), 100u);
  EXPECT_TRUE(c.a.sent[50].marker);
  EXPECT_EQ(c.a.sent[50].timestamp, c.a.sent[0].timestamp + 150 * 160);
  EXPECT_EQ(c.b->outcome().received.lost, 0u);
}

// As Opus with DTX: of silence a packet in 400 ms.
TEST(rtp_stream, is_judged_by_what_it_sends_where_silence_is_left_out) {
  call c;
  c.connect();
  c.world.run_for(2s);
  for (int i = 0; i < 150; ++i) {
    c.a.silent = true;
    c.world.run_for(380ms);
    c.a.silent = false;
    c.world.run_for(20ms);
  }
  c.world.run_for(2s);
  c.a->stop(c.world.now, c.a);
  c.world.run_for(1s);
  ASSERT_EQ(c.a.sent.size(), 350u);
  for (size_t n = 1; n < c.a.sent.size(); ++n) {
    const auto& before = c.a.sent[n - 1];
    const auto& p = c.a.sent[n];
    ASSERT_EQ(p.sequence, static_cast<uint16_t>(before.sequence + 1));
    ASSERT_EQ(p.timestamp - before.timestamp, units_between(before.at, p.at));
    ASSERT_EQ(p.marker, p.at - before.at > 20ms) << n;
  }
  EXPECT_EQ(c.a.lateness.size(), 350u) << "of packets, not of frames";
  const auto a = c.a->outcome();
  const auto b = c.b->outcome();
  EXPECT_EQ(a.packets_sent, 350u);
  EXPECT_EQ(b.received.expected, 350u);
  EXPECT_EQ(b.received.lost + b.received.discarded, 0u);
  EXPECT_EQ(b.received.timestamp_jumps + b.received.restarts, 0u);
  EXPECT_EQ(b.received.jitter_max, 0ns);
  ASSERT_TRUE(b.mos && a.remote && a.remote_mos);
  EXPECT_GT(*b.mos, 4.35);
  EXPECT_GT(*a.remote_mos, 4.35);
  EXPECT_EQ(a.remote->cumulative_lost, 0);
  EXPECT_GE(c.a.reports.size(), 64s / 7500ms) << "reports go on in silence";
}

TEST(rtp_stream, makes_up_for_a_short_stall_and_leaves_out_a_long_one) {
  call c;
  c.connect();
  c.world.run_for(1s);
  c.world.now += 200ms;
  c.world.run_for(20ms);
  EXPECT_EQ(c.a.sent.size(), 61u) << "all that were missed";
  EXPECT_EQ(*std::ranges::max_element(c.a.lateness), 200ms);
  EXPECT_FALSE(std::ranges::any_of(c.a.sent.begin() + 1, c.a.sent.end(),
                                   [](const auto& p) { return p.marker; }));
  const auto before = c.a.sent.size();
  c.world.now += 5s + 3ms;
  c.world.run_for(100ms);
  const std::span after{c.a.sent.begin() + static_cast<ptrdiff_t>(before), c.a.sent.end()};
  ASSERT_EQ(after.size(), 6u);
  EXPECT_EQ(*std::ranges::max_element(c.a.lateness), 5s + 3ms);
  EXPECT_TRUE(after[0].marker);
  EXPECT_FALSE(after[1].marker);
  EXPECT_EQ(after[0].sequence, static_cast<uint16_t>(c.a.sent[before - 1].sequence + 1));
  for (size_t i = 1; i < after.size(); ++i)
    EXPECT_EQ((after[i].at - start) % 20ms, 0ms) << "in its old phase";
  EXPECT_EQ(after[5].timestamp - c.a.sent[0].timestamp, units_between(start, after[5].at));
}

TEST(rtp_stream, makes_up_for_a_second_and_not_for_more) {
  for (const auto& [stall, sent] : {std::pair<duration, size_t>{1s, 51}, {1s + 1ns, 1}}) {
    call c;
    c.connect();
    c.world.run_for(1s);
    ASSERT_EQ(c.a.sent.size(), 50u);
    c.world.now += stall;
    c.world.run_for(10ms);
    EXPECT_EQ(c.a.sent.size(), 50 + sent) << stall.count() << " ns";
    EXPECT_EQ(c.a.sent.back().timestamp - c.a.sent[0].timestamp, units_between(start, start + 2s));
  }
}

TEST(rtp_stream, sends_other_clocks_and_packet_times) {
  call c;
  c.a.frame_bytes = 100;
  stream_setup how{.send = {{111, 4}},
                   .receive = {{111, 4}},
                   .send_event_type = 110,
                   .receive_event_type = 110,
                   .clock_rate = 48'000,
                   .packet_time = 60ms};
  c.a.connect(how);
  c.b.connect(how);
  ASSERT_TRUE(c.a->dial("5", c.world.now));
  c.world.run_for(6s);
  ASSERT_EQ(c.a.sent.size(), 100u);
  EXPECT_EQ(c.a.sent[99].timestamp - c.a.sent[0].timestamp, 99u * 2880);
  EXPECT_EQ(c.b.events, "<5>");
  EXPECT_EQ(c.b.lengths, std::vector<duration>{100ms});
  EXPECT_EQ(c.b->outcome().received.jitter_max, 0ns);
  // A re-offer to G.711: the same stream, by another clock.
  c.a.frame_bytes = 160;
  c.connect();
  ASSERT_TRUE(c.a->dial("6", c.world.now));
  c.world.run_for(6s);
  EXPECT_EQ(c.a.sent.size(), 400u);
  EXPECT_EQ(c.a.sent[399].timestamp - c.a.sent[398].timestamp, 160u);
  EXPECT_EQ(c.b.events, "<5><6>");
  EXPECT_EQ(c.b.lengths[1], 100ms);
  const auto heard = c.b->outcome();
  EXPECT_EQ(heard.received.lost, 0u);
  EXPECT_EQ(heard.receiving, (payload_format{8, pcma}));
}

// -- echo ------------------------------------------------------------------------

TEST(rtp_stream, echoes_what_it_hears_when_it_hears_it) {
  call c;
  c.b->set_mode(stream_mode::echo, c.world.now);
  c.connect();
  c.world.run_for(10s);
  EXPECT_TRUE(c.b.lateness.empty()) << "nothing of an echo is paced";
  ASSERT_EQ(c.b.sent.size(), 498u);
  for (size_t n = 0; n < c.b.sent.size(); ++n) {
    const auto& p = c.b.sent[n];
    EXPECT_EQ(p.payload, c.a.sent[n + 1].payload);
    EXPECT_EQ(p.at, c.a.sent[n + 1].at + 20ms);
    EXPECT_EQ(p.ssrc, 0xbu);
    EXPECT_EQ(p.marker, n == 0);
  }
}

TEST(rtp_stream, echoes_a_lossy_call_without_loss_and_in_time) {
  call c{{.loss = 0.1}};
  c.b->set_mode(stream_mode::echo, c.world.now);
  c.connect();
  c.world.run_for(60s);
  EXPECT_GT(c.a.lost.size(), 200u);
  const auto heard = c.a->outcome().received;
  EXPECT_EQ(heard.lost, 0u);
  EXPECT_EQ(heard.discarded, 0u) << "its time moves on over what was lost";
  EXPECT_EQ(heard.jitter_max, 0ns);
  EXPECT_EQ(c.b->outcome().relayed_gaps, 0u);
}

TEST(rtp_stream, does_not_echo_digits_but_their_time_passes) {
  call c;
  c.b->set_mode(stream_mode::echo, c.world.now);
  c.connect();
  c.world.run_for(1s);
  ASSERT_TRUE(c.a->dial("12", c.world.now));
  c.world.run_for(1s);
  EXPECT_EQ(c.b.events, "<1><2>");
  EXPECT_TRUE(std::ranges::all_of(c.b.sent, [](auto& p) { return p.payload_type == 8; }));
  EXPECT_EQ(std::ranges::count_if(c.b.sent, [](auto& p) { return p.marker; }), 3);
  const auto heard = c.a->outcome().received;
  EXPECT_EQ(heard.lost, 0u);
  EXPECT_EQ(heard.jitter_max, 0ns);
}

TEST(rtp_stream, listens_without_being_woken_for_frames) {
  call c;
  c.b->set_mode(stream_mode::listen, c.world.now);
  c.connect();
  int woken = 0;
  for (const auto end = start + 60s; c.b->deadline() < end; ++woken) {
    c.world.run_until(c.b->deadline());
    c.b->tick(c.world.now, c.b);
  }
  EXPECT_LT(woken, 25) << "for reports only";
  EXPECT_TRUE(c.b.sent.empty());
  ASSERT_FALSE(c.b.reports.empty());
  EXPECT_EQ(c.b.reports.back().second[1], std::byte{201}) << "RR";
  EXPECT_EQ(c.b->outcome().received.lost, 0u);
}

// -- digits ----------------------------------------------------------------------

TEST(rtp_stream, dials_and_hears_digits_both_ways) {
  call c;
  c.connect();
  ASSERT_TRUE(c.a->dial("0123456789", c.world.now));
  c.world.run_for(500ms);
  ASSERT_TRUE(c.b->dial("*#ABCD", c.world.now));
  ASSERT_TRUE(c.a->dial("*", c.world.now)); // to those that wait
  c.world.run_for(10s);
  EXPECT_EQ(c.b.events, "<0><1><2><3><4><5><6><7><8><9><*>");
  EXPECT_EQ(c.a.events, "<*><#><A><B><C><D>");
  EXPECT_EQ(c.b.lengths, std::vector<duration>(11, 100ms));
  EXPECT_FALSE(c.a->dialing());
  const auto a = c.a->outcome();
  EXPECT_EQ(a.digits_sent, 11u);
  EXPECT_EQ(a.digits_received, "*#ABCD");
  EXPECT_EQ(a.received.lost, 0u);
  EXPECT_EQ(a.received.jitter_max, 0ns) << "media time passes while digits last";
  EXPECT_EQ(c.a.sent.size(), 525u) << "in the place of frames";
}

TEST(rtp_stream, hears_digits_over_a_bad_network) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    call c{{.jitter = 10ms, .loss = 0.1, .duplicate = 0.05, .reorder = 0.05}, {}, seed};
    c.connect();
    ASSERT_TRUE(c.a->dial("147*2580", c.world.now));
    c.world.run_for(5s);
    EXPECT_EQ(c.b.events, "<1><4><7><*><2><5><8><0>") << seed;
  }
}

TEST(rtp_stream, ends_a_digit_whose_end_never_came) {
  for (const bool stopped : {false, true}) {
    simulation world;
    party a{world, 1, stream_mode::listen};
    a.connect();
    for (uint16_t n = 0; n < 3; ++n)
      a.hear({101, n == 0, n, 5000, 2},
             encode({7, false, 10, static_cast<uint16_t>((n + 1) * 160)}));
    if (stopped)
      a->stop(world.now, a);
    EXPECT_EQ(a.events, "<7");
    world.run_for(190ms);
    EXPECT_EQ(a.events, "<7");
    world.run_for(50ms);
    EXPECT_EQ(a.events, "<7>");
    EXPECT_EQ(a.lengths, std::vector<duration>{60ms});
    EXPECT_GT(a->deadline(), world.now + 500ms) << "and is not woken for it again";
  }
}

TEST(rtp_stream, dials_while_it_only_listens_and_waits_while_on_hold) {
  call c;
  c.a->set_mode(stream_mode::listen, c.world.now);
  auto hold = party::usual();
  hold.sends = false;
  c.a.connect(hold);
  c.b.connect();
  c.world.run_for(10s + 1ms);
  ASSERT_TRUE(c.a->dial("42", c.world.now));
  c.world.run_for(1s);
  EXPECT_TRUE(c.a.sent.empty());
  c.a.connect();
  c.world.run_for(1s);
  ASSERT_EQ(c.a.sent.size(), 14u) << "seven packets each";
  EXPECT_EQ(c.b.events, "<4><2>");
  for (size_t i = 1; i < 7; ++i)
    EXPECT_EQ(c.a.sent[i].at, c.a.sent[0].at + i * 20ms);
}

TEST(rtp_stream, refuses_digits_that_cannot_be_sent) {
  simulation world;
  party a{world, 1};
  auto how = party::usual();
  how.send_event_type = std::nullopt;
  a.connect(how);
  EXPECT_EQ(a->dial("1", world.now).error().to_string(),
            "digits: the peer takes no telephone events");
  a.connect();
  EXPECT_FALSE(a->dial("1x", world.now));
  EXPECT_FALSE(a->dialing());
}

TEST(rtp_stream, keeps_no_more_digits_than_it_may) {
  simulation world;
  party a{world, 1};
  a.connect();
  for (uint16_t n = 0; n < 1000; ++n)
    a.hear({101, true, n, n * 2000U, 2}, encode({static_cast<uint8_t>(n % 10), true, 10, 800}));
  EXPECT_EQ(a->outcome().digits_received.size(), 256u);
  EXPECT_EQ(a.lengths.size(), 1000u) << "but tells of each";
}

// -- payload types and strangers -------------------------------------------------

TEST(rtp_stream, does_not_count_other_payload_types_as_lost) {
  simulation world;
  party a{world, 1, stream_mode::listen};
  a.connect();
  for (uint16_t n = 0; n < 1000; ++n) {
    const uint8_t type = n % 10 == 5 ? 13 : 8; // comfort noise
    a.hear({type, n == 0, n, n * 160U, 2}, voice);
    world.run_for(20ms);
  }
  const auto out = a->outcome();
  EXPECT_EQ(out.received.expected, 1000u);
  EXPECT_EQ(out.received.lost, 0u);
  EXPECT_EQ(out.other_types, 100u);
  EXPECT_GT(*out.mos, 4.3);
}

TEST(rtp_stream, hears_nothing_in_what_is_no_packet) {
  simulation world;
  party a{world, 1};
  a.connect();
  std::vector<std::byte> bytes(12 + voice.size());
  for (uint16_t n = 0; n < 10; ++n) {
    write_header({8, false, n, n * 160U, 2}, std::span{bytes}.first<header_size>());
    bytes[0] = std::byte{0x40}; // version 1
    a->on_datagram(bytes, world.now, a);
    bytes[0] = std::byte{0x80};
    a->on_datagram(std::span{bytes}.first(11), world.now, a);
  }
  EXPECT_TRUE(a.heard.empty());
  EXPECT_EQ(a->outcome().received.packets, 0u);
  EXPECT_EQ(a->outcome().other_types, 0u);
}

TEST(rtp_stream, takes_no_source_for_its_peer_by_another_payload_type) {
  simulation world;
  party a{world, 1, stream_mode::listen};
  a.connect();
  for (uint16_t n = 0; n < 100; ++n)
    a.hear({96, false, n, n * 160U, 66}, voice);
  EXPECT_FALSE(a->outcome().received.first_packet);
  EXPECT_FALSE(a->outcome().mos);
  for (uint16_t n = 0; n < 100; ++n) {
    a.hear({8, false, n, n * 160U, 2}, voice);
    a.hear({96, false, n, n * 3000U, 66}, voice);
    world.run_for(20ms);
  }
  const auto out = a->outcome();
  EXPECT_EQ(out.received.expected, 100u);
  EXPECT_EQ(out.received.lost, 0u);
  EXPECT_EQ(out.received.ssrc_changes, 0u);
  EXPECT_EQ(out.other_types, 200u);
}

TEST(rtp_stream, hears_each_codec_agreed_on_and_says_which) {
  simulation world;
  party a{world, 1, stream_mode::listen};
  auto how = party::usual();
  how.receive = {{8, pcma}, {96, pcmu}};
  a.connect(how);
  EXPECT_FALSE(a->outcome().receiving);
  const auto hear = [&](uint8_t type, uint16_t from) {
    for (uint16_t n = from; n < from + 100; ++n) {
      a.hear({type, false, n, n * 160U, 2}, voice);
      world.run_for(20ms);
    }
    return a->outcome();
  };
  EXPECT_EQ(hear(8, 0).receiving, (payload_format{8, pcma}));
  EXPECT_EQ(hear(96, 100).receiving, (payload_format{96, pcmu}));
  const auto out = hear(0, 200);
  EXPECT_EQ(out.receiving, (payload_format{96, pcmu}));
  EXPECT_EQ(out.other_types, 100u);
  EXPECT_EQ(out.received.lost, 0u);
  EXPECT_EQ(a.heard.size(), 299u);
}

TEST(rtp_stream, formats_are_bounded) {
  payload_formats formats{{0, 1}, {8, 2}, {9, 3}, {111, 4}, {112, 5}};
  EXPECT_EQ(formats.of_type(112), nullptr);
  EXPECT_FALSE(formats.add({112, 5}));
  EXPECT_EQ(formats.of_codec(4)->payload_type, 111);
  EXPECT_EQ(payload_formats{}.of_codec(0), nullptr);
  EXPECT_TRUE(payload_formats{}.empty());
}

TEST(sec_07, rtp_stream_takes_any_bytes) {
  simulation world{7};
  party a{world, 1, stream_mode::echo};
  party b{world, 2, stream_mode::relay};
  a.join(&b);
  a.connect();
  b.connect();
  std::vector<std::byte> bytes;
  for (int i = 0; i < 200'000; ++i) {
    bytes.resize(world.random() % 60);
    for (auto& x : bytes)
      x = static_cast<std::byte>(world.random());
    if (bytes.size() > 1) {
      bytes[0] = std::byte{0x80};
      constexpr std::array types{8, 101, 13, 200};
      bytes[1] = static_cast<std::byte>(types[world.random() % types.size()]);
    }
    if (bytes.size() > 12 && i % 3 != 0) { // of a source that may be accepted
      bytes[2] = static_cast<std::byte>(i >> 8);
      bytes[3] = static_cast<std::byte>(i);
      std::fill(bytes.begin() + 8, bytes.begin() + 12, std::byte{0});
    }
    a->on_datagram(bytes, world.now, a);
  }
  const auto in = a->outcome().received;
  EXPECT_EQ(in.packets, in.expected - in.lost + in.duplicates + in.late + in.rejected);
  EXPECT_GT(a.sent.size(), 10'000u);
  EXPECT_GT(b.sent.size(), 10'000u);
}

} // namespace
} // namespace jackfield::rtp
