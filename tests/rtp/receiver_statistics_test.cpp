#include "engine/rtp/receiver_statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/rtp/rtcp.hpp"

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

// A stream of 20 ms packets, the n-th of which arrives on time unless told otherwise.
class stream {
public:
  explicit stream(uint16_t first = 1000, uint32_t timestamp = 5000, uint32_t ssrc = 7)
      : first_(first), timestamp_(timestamp), ssrc_(ssrc) {}

  bool arrive(receiver_statistics& to, uint32_t n, duration delay = {}, bool marker = false) const {
    packet p;
    p.sequence = static_cast<uint16_t>(first_ + n);
    p.timestamp = timestamp_ + n * 160;
    p.ssrc = ssrc_;
    p.marker = marker;
    p.payload = payload;
    return to.on_packet(p, at(n) + delay);
  }
  /// Arrives, and repeats the packet before it.
  void arrive_repeating(receiver_statistics& to, uint32_t n, duration delay = {}) const {
    const auto number = static_cast<uint16_t>(first_ + n);
    if (arrive(to, n, delay) && to.follows_a_loss(number))
      to.on_repetition(number, 160);
  }
  static time_point at(uint32_t n) { return time_point{100s} + n * 20ms; }

private:
  uint16_t first_;
  uint32_t timestamp_;
  uint32_t ssrc_;
  static constexpr std::array<std::byte, 160> payload{};
};

void expect_consistent(const reception_summary& s) {
  EXPECT_LE(s.lost, s.expected);
  EXPECT_LE(s.recovered, s.lost);
  EXPECT_EQ(s.packets, s.expected - s.lost + s.duplicates + s.late + s.rejected);
}

TEST(receiver_statistics, counts_what_was_to_come_after_the_last_packet_where_asked) {
  receiver_statistics stats;
  const stream in;
  EXPECT_EQ(stats.summary(50).expected, 0u) << "there is no stream";
  for (uint32_t n = 0; n < 100; ++n)
    if (n != 40)
      in.arrive(stats, n);
  EXPECT_EQ(stats.summary().lost, 1u);
  EXPECT_EQ(stats.lost(), 1u);
  EXPECT_EQ(stats.expected(), 100u);
  EXPECT_EQ(stats.packets(), 99u);
  const auto s = stats.summary(300);
  expect_consistent(s);
  EXPECT_EQ(s.expected, 400u);
  EXPECT_EQ(s.lost, 301u);
  EXPECT_GT(s.losses.burst_ratio, 20) << "one long burst";
  EXPECT_EQ(stats.summary().lost, 1u) << "nothing of that stays";
}

TEST(receiver_statistics, sees_nothing_wrong_with_a_perfect_stream) {
  receiver_statistics stats;
  const stream in;
  for (uint32_t n = 0; n < 1000; ++n)
    in.arrive(stats, n);
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.packets, 1000u);
  EXPECT_EQ(s.octets, 160'000u);
  EXPECT_EQ(s.expected, 1000u);
  EXPECT_EQ(s.lost + s.duplicates + s.reordered + s.late + s.rejected + s.discarded, 0u);
  EXPECT_EQ(s.restarts + s.ssrc_changes + s.timestamp_jumps, 0u);
  EXPECT_EQ(s.jitter, 0ns);
  EXPECT_EQ(s.jitter_max, 0ns);
  EXPECT_EQ(s.gap_max, 20ms);
  EXPECT_EQ(s.first_packet, stream::at(0));
  EXPECT_EQ(s.last_packet, stream::at(999));
  EXPECT_EQ(s.effective_loss(), 0.0);
  EXPECT_EQ(s.losses.burst_ratio, 1.0);
  EXPECT_EQ(stats.ssrc(), 7u);
}

TEST(receiver_statistics, knows_nothing_before_the_first_packet) {
  receiver_statistics stats;
  const auto s = stats.summary();
  EXPECT_EQ(s.expected, 0u);
  EXPECT_FALSE(s.effective_loss());
  EXPECT_FALSE(s.first_packet);
  EXPECT_FALSE(stats.ssrc());
  EXPECT_FALSE(stats.last_packet());
  report_block block;
  EXPECT_FALSE(stats.next_report(block));
}

TEST(receiver_statistics, puts_a_source_on_probation) {
  receiver_statistics stats;
  const stream in;
  EXPECT_FALSE(in.arrive(stats, 0));
  EXPECT_FALSE(stats.ssrc());
  EXPECT_FALSE(in.arrive(stats, 64)); // too far: begins probation anew
  EXPECT_FALSE(in.arrive(stats, 64)); // the same once more proves nothing
  EXPECT_TRUE(in.arrive(stats, 65));
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 2u);
  EXPECT_EQ(s.rejected, 2u);
  EXPECT_EQ(s.first_packet, stream::at(64));
}

TEST(receiver_statistics, accepts_a_source_that_loses_every_other_packet_from_the_start) {
  receiver_statistics stats;
  const stream in;
  for (uint32_t n = 0; n < 1000; n += 2)
    in.arrive(stats, n);
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 999u);
  EXPECT_EQ(s.lost, 499u);
  EXPECT_EQ(s.first_packet, stream::at(0));
  // Nothing but lone losses, yet so near each other that all is one burst.
  EXPECT_EQ(s.losses.bursts, 1u);
  EXPECT_EQ(s.losses.longest_loss_run, 1u);
}

TEST(receiver_statistics, accepts_a_source_whose_first_packet_was_overtaken) {
  for (const uint32_t first : {1U, 2U, 63U}) {
    SCOPED_TRACE(first);
    receiver_statistics stats;
    const stream in{65530};
    EXPECT_FALSE(in.arrive(stats, first, 0ms));
    EXPECT_TRUE(in.arrive(stats, 0, first * 20ms + 5ms));
    EXPECT_EQ(stats.lost(), first - 1);
    for (uint32_t n = 1; n < first; ++n)
      EXPECT_TRUE(in.arrive(stats, n, (first - n) * 20ms + 6ms));
    for (uint32_t n = first + 1; n < 100; ++n)
      EXPECT_TRUE(in.arrive(stats, n, 7ms));
    const auto s = stats.summary();
    expect_consistent(s);
    EXPECT_EQ(s.expected, 100u);
    EXPECT_EQ(s.lost, 0u);
    EXPECT_EQ(s.rejected, 0u);
    EXPECT_EQ(s.reordered, first);
    EXPECT_EQ(s.first_packet, stream::at(first));
  }
  receiver_statistics stats;
  const stream in;
  EXPECT_FALSE(in.arrive(stats, 64));
  EXPECT_FALSE(in.arrive(stats, 0, 65 * 20ms)) << "too far: begins probation anew";
  EXPECT_TRUE(in.arrive(stats, 1, 65 * 20ms));
  EXPECT_EQ(stats.summary().rejected, 1u);
}

TEST(receiver_statistics, a_packet_that_few_have_overtaken_may_come) {
  receiver_statistics stats;
  const stream in;
  EXPECT_EQ(stats.may_come(), 0u);
  in.arrive(stats, 0);
  EXPECT_EQ(stats.may_come(), 0u);
  in.arrive(stats, 3);
  EXPECT_EQ(stats.may_come(), 2u);
  in.arrive(stats, 2, 30ms);
  EXPECT_EQ(stats.may_come(), 1u);
  for (uint32_t n = 4; n < 9; ++n)
    in.arrive(stats, n);
  EXPECT_EQ(stats.may_come(), 1u) << "seven";
  in.arrive(stats, 9);
  EXPECT_EQ(stats.may_come(), 0u) << "eight";
  EXPECT_EQ(stats.lost(), 1u);
  in.arrive(stats, 100);
  EXPECT_EQ(stats.may_come(), 7u) << "of 90 that are missing";
  EXPECT_EQ(stats.lost(), 91u);
}

TEST(receiver_statistics, accepts_one_of_two_sources_that_begin_together) {
  receiver_statistics stats;
  const stream first{100, 0, 1};
  const stream second{9000, 77, 2};
  for (uint32_t n = 0; n < 50; ++n) {
    first.arrive(stats, n);
    second.arrive(stats, n);
  }
  EXPECT_EQ(stats.ssrc(), 1u);
  EXPECT_EQ(stats.summary().expected, 50u);
}

TEST(receiver_statistics, counts_loss_across_the_sequence_wrap) {
  receiver_statistics stats;
  const stream in{65500};
  for (uint32_t n = 0; n < 200'000; ++n) {
    if (n % 10 != 5)
      in.arrive(stats, n);
  }
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 200'000u);
  EXPECT_EQ(s.lost, 20'000u);
  EXPECT_EQ(s.restarts, 0u);
  report_block block;
  ASSERT_TRUE(stats.next_report(block));
  EXPECT_EQ(block.highest_sequence, 65500u + 199'999u);
  EXPECT_EQ(block.cumulative_lost, 20'000);
  EXPECT_EQ(block.fraction_lost, 25);
}

TEST(receiver_statistics, tells_duplicates_reordering_and_lateness_apart) {
  receiver_statistics stats;
  const stream in;
  for (uint32_t n = 0; n < 200; ++n) {
    if (n != 50 && n != 100) {
      EXPECT_EQ(in.arrive(stats, n), n != 0);
    }
    if (n == 51) {
      EXPECT_TRUE(in.arrive(stats, 50, 21ms)); // reordered
    }
    if (n == 60) {
      EXPECT_FALSE(in.arrive(stats, 59, 25ms)); // duplicate
    }
    if (n == 61) {
      EXPECT_FALSE(in.arrive(stats, 61)); // duplicate of the newest
    }
  }
  EXPECT_FALSE(in.arrive(stats, 100, 2s)); // long after its place has left the window
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 200u);
  EXPECT_EQ(s.lost, 1u);
  EXPECT_EQ(s.reordered, 1u);
  EXPECT_EQ(s.duplicates, 2u);
  EXPECT_EQ(s.late, 1u);
  EXPECT_EQ(s.discarded, 0u);
}

TEST(receiver_statistics, expects_packets_from_before_the_first_that_came) {
  receiver_statistics stats;
  const stream in{2};
  // 5 and 6 come first; 3 (two before, over the wrap to come) and then 0 - 4 = 65534 follow.
  in.arrive(stats, 5);
  in.arrive(stats, 6);
  EXPECT_TRUE(in.arrive(stats, 3, 100ms));
  auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 4u);
  EXPECT_EQ(s.lost, 1u);
  EXPECT_TRUE(in.arrive(stats, 65536 - 6, 100ms - 65536 * 20ms)); // two below zero
  s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 13u);
  EXPECT_EQ(s.lost, 9u);
  EXPECT_EQ(s.reordered, 2u);
}

/// What did not come is what lies between, and nothing of what did.
TEST(receiver_statistics, has_losses_between_what_came_and_what_is_from_before_it) {
  receiver_options patient;
  patient.jitter_buffer = 1s;
  receiver_statistics stats{patient};
  const stream in;
  for (const uint32_t n : {20U, 21U, 22U, 18U, 12U})
    EXPECT_EQ(in.arrive(stats, n, (40 - n) * 20ms), n != 20) << n; // one after the other
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.expected, 11u);
  EXPECT_EQ(s.lost, 6u);
  EXPECT_EQ(s.discarded, 0u);
  EXPECT_EQ(s.losses.loss_runs, 2u) << "13 to 17, and 19";
  EXPECT_EQ(s.losses.longest_loss_run, 5u);
  EXPECT_EQ(s.losses.bursts, 1u);
  EXPECT_DOUBLE_EQ(s.losses.burst_length, 7);
  EXPECT_DOUBLE_EQ(s.losses.burst_density, 6.0 / 7);
}

/// RFC 3550 A.1: MAX_MISORDER is 100, MAX_DROPOUT is 3000.
TEST(receiver_statistics, takes_up_to_100_behind_for_late_and_less_than_3000_ahead_for_a_loss) {
  const auto after = [](uint32_t place) {
    receiver_statistics stats;
    const stream in;
    for (uint32_t n = 0; n <= 4'000; ++n)
      in.arrive(stats, n);
    in.arrive(stats, place, place < 4'000 ? 2s * 4 : 0s);
    const auto s = stats.summary();
    expect_consistent(s);
    return s;
  };
  EXPECT_EQ(after(4'000 - 63).duplicates, 1u) << "within the window";
  EXPECT_EQ(after(4'000 - 64).late, 1u);
  EXPECT_EQ(after(4'000 - 100).late, 1u);
  EXPECT_EQ(after(4'000 - 100).rejected, 0u);
  EXPECT_EQ(after(4'000 - 101).late, 0u);
  EXPECT_EQ(after(4'000 - 101).rejected, 1u) << "may have begun anew";
  EXPECT_EQ(after(4'000 + 2'999).lost, 2'998u);
  EXPECT_EQ(after(4'000 + 3'000).lost, 0u);
  EXPECT_EQ(after(4'000 + 3'000).rejected, 1u) << "may have begun anew";
}

TEST(receiver_statistics, takes_two_in_sequence_after_a_jump_as_a_restart) {
  receiver_statistics stats;
  const stream before{100};
  const stream after{40'000, 0x80000000};
  for (uint32_t n = 0; n < 100; ++n)
    before.arrive(stats, n);
  EXPECT_FALSE(after.arrive(stats, 100));
  EXPECT_TRUE(before.arrive(stats, 101)); // the old sender is alive: the stray is forgotten
  EXPECT_FALSE(after.arrive(stats, 102));
  EXPECT_TRUE(after.arrive(stats, 103));
  EXPECT_TRUE(after.arrive(stats, 104));
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.restarts, 1u);
  EXPECT_EQ(s.ssrc_changes, 0u);
  EXPECT_EQ(s.rejected, 1u);
  EXPECT_EQ(s.expected, 102u + 3u);
  EXPECT_EQ(s.lost, 1u);
  EXPECT_EQ(s.timestamp_jumps, 0u); // a restart begins its own time
  EXPECT_EQ(s.jitter, 0ns);
}

TEST(receiver_statistics, lets_another_source_take_over_when_the_first_falls_silent) {
  receiver_statistics stats;
  const stream first{100, 0, 1};
  const stream second{9000, 77, 2};
  for (uint32_t n = 0; n < 50; ++n) {
    first.arrive(stats, n);
    EXPECT_FALSE(second.arrive(stats, n)); // both at once: the one that was there first is kept
  }
  EXPECT_EQ(stats.ssrc(), 1u);
  for (uint32_t n = 50; n < 100; ++n)
    second.arrive(stats, n);
  EXPECT_EQ(stats.ssrc(), 2u);
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.ssrc_changes, 1u);
  // The second source's packet behind the first one's last counts: it began the new sequence.
  EXPECT_EQ(s.expected, 101u);
  EXPECT_EQ(s.lost, 0u);
  EXPECT_EQ(s.rejected, 49u);
  report_block block;
  ASSERT_TRUE(stats.next_report(block));
  EXPECT_EQ(block.ssrc, 2u);
  EXPECT_EQ(block.cumulative_lost, 0);
}

TEST(receiver_statistics, computes_jitter_as_the_rfc_does) {
  receiver_statistics stats;
  const stream in;
  std::mt19937 random{1};
  std::uniform_int_distribution<int> delay{0, 19};
  // RFC 3550 §6.4.1 in floating point, from the same arrival times.
  double jitter = 0;
  double last = 0;
  for (uint32_t n = 0; n < 5000; ++n) {
    const auto ms = delay(random);
    in.arrive(stats, n, ms * 1ms);
    const double transit = ms * 8.0;
    if (n > 0)
      jitter += (std::abs(transit - last) - jitter) / 16;
    last = transit;
  }
  const auto s = stats.summary();
  EXPECT_NEAR(s.jitter_units, jitter, 2);
  EXPECT_NEAR(static_cast<double>(s.jitter.count()), jitter / 8 * 1e6, 2e5);
  EXPECT_GE(s.jitter_max, s.jitter);
  EXPECT_GT(s.jitter_mean, 4ms);
  EXPECT_LT(s.jitter_mean, 10ms);
}

/// RFC 3550 A.8, in its integers: jitter is kept times 16, and its share of it is rounded.
TEST(receiver_statistics, rounds_jitter_as_the_rfc_does) {
  for (const int most_ms : {1, 2, 19}) {
    receiver_statistics stats;
    const stream in;
    std::mt19937 random{2};
    uint32_t jitter = 0;
    uint32_t last = 0;
    for (uint32_t n = 0; n < 500; ++n) {
      const auto ms = static_cast<uint32_t>(random()) % static_cast<uint32_t>(most_ms + 1);
      in.arrive(stats, n, std::chrono::milliseconds{ms});
      const auto transit = ms * 8;
      if (n > 0)
        jitter += (transit > last ? transit - last : last - transit) - ((jitter + 8) >> 4);
      last = transit;
      if (n < 2)
        continue; // not known yet
      ASSERT_EQ(stats.summary().jitter_units, jitter >> 4) << n;
      ASSERT_EQ(stats.summary().jitter.count(), static_cast<int64_t>(jitter / 16.0 * 1e9 / 8'000))
        << n;
    }
  }
}

TEST(receiver_statistics, keeps_unpaced_packets_out_of_jitter) {
  receiver_statistics stats;
  const stream in;
  for (uint32_t n = 0; n < 10; ++n)
    in.arrive(stats, n);
  for (uint16_t n = 10; n < 20; ++n) { // an event: its timestamp stands still
    packet p;
    p.ssrc = 7;
    p.sequence = static_cast<uint16_t>(1000 + n);
    p.timestamp = 5000 + 10 * 160;
    EXPECT_TRUE(stats.on_packet(p, stream::at(n), false));
  }
  for (uint32_t n = 20; n < 30; ++n)
    in.arrive(stats, n);
  const auto s = stats.summary();
  EXPECT_EQ(s.expected, 30u);
  EXPECT_EQ(s.jitter_max, 0ns);
  EXPECT_EQ(s.discarded, 0u);
}

TEST(receiver_statistics, discards_what_comes_too_late_for_the_jitter_buffer) {
  receiver_statistics stats;
  const stream in;
  for (uint32_t n = 0; n < 200; ++n)
    in.arrive(stats, n, n % 20 == 19 ? 61ms : n % 20 == 18 ? 60ms : 0ms);
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.lost, 0u);
  EXPECT_EQ(s.discarded, 10u);
  EXPECT_EQ(s.effective_loss(), 0.05);
  EXPECT_EQ(s.losses.loss_runs, 10u);
}

TEST(receiver_statistics, forgets_an_old_least_transit) {
  receiver_statistics stats;
  const stream in;
  // A route that grows 100 ms longer costs some packets, not all that follow.
  for (uint32_t n = 0; n < 3000; ++n)
    in.arrive(stats, n, n < 1000 ? 0ms : 100ms);
  const auto s = stats.summary();
  EXPECT_GT(s.discarded, 200u);
  EXPECT_LE(s.discarded, 512u);
  // A clock that is 200 ppm slow for an hour costs none.
  receiver_statistics drifting;
  for (uint32_t n = 0; n < 180'000; ++n)
    in.arrive(drifting, n, n * 4us);
  EXPECT_EQ(drifting.summary().discarded, 0u);
}

TEST(receiver_statistics, sets_the_delay_anew_at_a_talkspurt) {
  receiver_statistics stats;
  const stream in;
  // Media time stood still for 5 s of hold.
  for (uint32_t n = 0; n < 300; ++n)
    in.arrive(stats, n, n < 100 ? 0s : 5s, n == 100);
  EXPECT_EQ(stats.summary().discarded, 0u);
  EXPECT_EQ(stats.summary().gap_max, 5s + 20ms);
}

TEST(receiver_statistics, counts_as_recovered_what_the_next_packet_repeats_in_time) {
  receiver_statistics stats;
  const stream in;
  const auto recovered = [&] {
    const auto s = stats.summary();
    expect_consistent(s);
    return s.recovered;
  };
  for (uint32_t n = 0; n < 10; ++n)
    in.arrive_repeating(stats, n);
  EXPECT_EQ(recovered(), 0u) << "nothing is lost";
  in.arrive_repeating(stats, 11);
  EXPECT_EQ(recovered(), 1u);
  in.arrive_repeating(stats, 11);
  EXPECT_EQ(recovered(), 1u) << "a duplicate repeats nothing more";
  in.arrive(stats, 13);
  in.arrive_repeating(stats, 14);
  EXPECT_EQ(recovered(), 1u) << "what follows 12 repeats nothing";
  in.arrive_repeating(stats, 18);
  EXPECT_EQ(recovered(), 2u) << "of three lost the last alone";
  // The jitter buffer of 60 ms has 40 ms until 19 and 21 are to be played.
  in.arrive_repeating(stats, 20, 41ms);
  EXPECT_EQ(recovered(), 2u);
  in.arrive_repeating(stats, 22, 39ms);
  EXPECT_EQ(recovered(), 3u);
  // It came after all.
  in.arrive_repeating(stats, 24);
  EXPECT_EQ(recovered(), 4u);
  in.arrive(stats, 23, 30ms);
  EXPECT_EQ(recovered(), 3u);
  // What fills a place may itself follow one that is missing.
  in.arrive_repeating(stats, 27);
  in.arrive_repeating(stats, 26, 30ms);
  EXPECT_EQ(recovered(), 4u);
  EXPECT_EQ(stats.summary().lost, 8u); // 10, 12, 15, 16, 17, 19, 21, 25
}

TEST(receiver_statistics, keeps_what_was_recovered_when_the_window_has_passed) {
  receiver_statistics stats;
  const stream in;
  for (uint32_t n = 0; n < 1000; ++n)
    if (n % 10 != 5)
      in.arrive_repeating(stats, n);
  in.arrive(stats, 2000);
  in.arrive(stats, 985, 30s); // older than the window: lost is what it is
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.recovered, 100u);
  EXPECT_EQ(s.lost, 1100u);
}

TEST(receiver_statistics, takes_a_timestamp_jump_as_a_jump_not_as_jitter) {
  receiver_statistics stats;
  const stream before{0, 0};
  const stream after{0, 0x40000000};
  for (uint32_t n = 0; n < 100; ++n)
    before.arrive(stats, n);
  for (uint32_t n = 100; n < 200; ++n)
    after.arrive(stats, n);
  const auto s = stats.summary();
  EXPECT_EQ(s.timestamp_jumps, 1u);
  EXPECT_EQ(s.jitter_max, 0ns);
  EXPECT_EQ(s.discarded, 0u);
}

TEST(sec_07, receiver_statistics_survive_a_clock_jump_of_fifty_days) {
  for (const auto jump : {duration{1200h}, duration{24h * 365 * 20}}) {
    receiver_statistics stats{{48'000, 60ms}};
    const stream in;
    for (uint32_t n = 0; n < 100; ++n)
      in.arrive(stats, n);
    for (uint32_t n = 100; n < 200; ++n)
      in.arrive(stats, n, jump);
    in.arrive(stats, 200, -jump); // backwards: the clock a caller promises not to have
    const auto s = stats.summary();
    expect_consistent(s);
    EXPECT_EQ(s.expected, 201u);
    EXPECT_GE(s.gap_max, jump);
    EXPECT_LT(s.jitter_max, 20s);
  }
}

TEST(sec_07, receiver_statistics_count_for_fifty_days_without_a_break) {
  receiver_statistics stats;
  const stream in;
  // One packet in 2,900 comes, as far apart as a stream may be without restarting.
  constexpr uint32_t fifty_days = 50 * 24 * 3600 * 50u;
  uint64_t came = 0;
  in.arrive(stats, 0);
  for (uint32_t n = 1; n < fifty_days; n += n == 1 ? 2899 : 2900, ++came)
    in.arrive(stats, n);
  const auto s = stats.summary();
  expect_consistent(s);
  EXPECT_EQ(s.packets, came + 1);
  EXPECT_EQ(s.expected - s.lost, came + 1);
  EXPECT_EQ(s.restarts, 0u);
  EXPECT_EQ(s.timestamp_jumps, 0u);
}

TEST(sec_07, receiver_statistics_hold_their_invariants_on_any_input) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random{seed};
    receiver_statistics stats;
    time_point now{};
    uint64_t handed_in = 0;
    uint16_t sequence = 0;
    for (int i = 0; i < 20'000; ++i) {
      packet p;
      p.ssrc = random() % 50 == 0 ? random() % 3 : 0;
      switch (random() % 8) {
      case 0:
        sequence = static_cast<uint16_t>(random());
        break;
      case 1:
        sequence = static_cast<uint16_t>(sequence - random() % 120);
        break;
      case 2:
        sequence = static_cast<uint16_t>(sequence + random() % 3100);
        break;
      default:
        ++sequence;
      }
      p.sequence = sequence;
      p.timestamp = static_cast<uint32_t>(random());
      p.marker = random() % 2 == 0;
      now += duration{random() % 100'000'000};
      if (stats.on_packet(p, now, random() % 4 != 0) && stats.follows_a_loss(p.sequence))
        stats.on_repetition(p.sequence, random() % 2000);
      ++handed_in;
      if (i % 500 == 0) {
        report_block block;
        if (stats.next_report(block)) {
          ASSERT_GE(block.cumulative_lost, 0);
        }
      }
    }
    const auto s = stats.summary();
    expect_consistent(s);
    EXPECT_EQ(s.packets, handed_in);
    EXPECT_LE(s.losses.burst_density, 1.0);
    EXPECT_LE(s.losses.gap_density, 1.0);
    EXPECT_GE(s.losses.burst_ratio, 1.0);
  }
}

// What the window must come to, from a list of all that arrived.
TEST(receiver_statistics, agrees_with_a_plain_count_under_loss_duplication_and_reordering) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random{seed};
    struct arrival {
      uint32_t n;
      duration delay;
    };
    const auto up_to_57_ms = [&] { return std::chrono::milliseconds{random() % 58}; };
    std::vector<arrival> arrivals;
    uint64_t duplicates = 0;
    constexpr uint32_t count = 20'000;
    for (uint32_t n = 0; n < count; ++n) {
      const bool edge = n < 2 || n == count - 1;
      if (!edge && random() % 20 == 0)
        continue;
      const auto delay = edge ? 0ms : up_to_57_ms();
      arrivals.push_back({n, delay});
      if (!edge && random() % 50 == 0) {
        ++duplicates;
        arrivals.push_back({n, up_to_57_ms()});
      }
    }
    std::ranges::stable_sort(arrivals, {},
                             [](const arrival& a) { return stream::at(a.n) + a.delay; });
    receiver_statistics stats;
    const stream in{static_cast<uint16_t>(random())};
    std::set<uint32_t> seen;
    uint64_t reordered = 0;
    uint32_t highest = 0;
    for (const auto& a : arrivals) {
      in.arrive(stats, a.n, a.delay);
      if (seen.insert(a.n).second && a.n < highest)
        ++reordered;
      highest = std::max(highest, a.n);
    }
    const auto s = stats.summary();
    expect_consistent(s);
    EXPECT_EQ(s.expected, count);
    EXPECT_EQ(s.lost, count - seen.size());
    EXPECT_EQ(s.duplicates, duplicates);
    EXPECT_EQ(s.reordered, reordered);
    EXPECT_EQ(s.discarded, 0u);
  }
}

TEST(receiver_statistics, reports_each_interval_by_itself) {
  receiver_statistics stats;
  const stream in;
  report_block block;
  for (uint32_t n = 0; n < 100; ++n)
    in.arrive(stats, n);
  ASSERT_TRUE(stats.next_report(block));
  EXPECT_EQ(block.fraction_lost, 0);
  for (uint32_t n = 100; n < 200; n += 2)
    in.arrive(stats, n + 1);
  ASSERT_TRUE(stats.next_report(block));
  EXPECT_EQ(block.fraction_lost, 128);
  EXPECT_EQ(block.cumulative_lost, 50);
  in.arrive(stats, 198, 50ms); // fills a place of the interval before
  ASSERT_TRUE(stats.next_report(block));
  EXPECT_EQ(block.fraction_lost, 0);
  EXPECT_EQ(block.cumulative_lost, 49);
}

TEST(receiver_statistics, decides_one_way_audio) {
  receiver_statistics stats;
  const auto start = stream::at(0);
  EXPECT_FALSE(stats.one_way(start, start + 2s, 3s)); // too early to say
  EXPECT_TRUE(stats.one_way(start, start + 3s, 3s));
  const stream in;
  in.arrive(stats, 0);
  in.arrive(stats, 1);
  EXPECT_FALSE(stats.one_way(start, start + 3s, 3s));
  EXPECT_TRUE(stats.one_way(start, start + 4s, 3s));
  EXPECT_FALSE(stats.one_way(start + 2s, start + 4s, 3s)); // we have just begun to send
}

TEST(receiver_statistics, goes_on_by_another_clock) {
  receiver_statistics s;
  packet p;
  p.ssrc = 7;
  const auto hear = [&](uint32_t step, duration late) {
    ++p.sequence;
    p.timestamp += step;
    return s.on_packet(p, time_point{p.sequence * 20ms + late});
  };
  for (int i = 0; i < 200; ++i)
    hear(160, i % 2 * 4ms);
  const auto before = s.summary();
  EXPECT_NEAR(static_cast<double>(before.jitter.count()), 4e6, 1e5);
  s.set_clock_rate(48'000);
  EXPECT_NEAR(static_cast<double>(s.summary().jitter.count()), 4e6, 1e5);
  EXPECT_EQ(s.summary().jitter_mean, before.jitter_mean);
  for (int i = 0; i < 1000; ++i)
    hear(960, 0ms);
  auto after = s.summary();
  EXPECT_LT(after.jitter, 1ms) << "in step with the new clock";
  EXPECT_EQ(after.discarded + after.lost + after.timestamp_jumps, 0u);
  EXPECT_NEAR(static_cast<double>(after.jitter_max.count()), 4e6, 1e5);
  hear(960, 70ms);
  EXPECT_EQ(s.summary().discarded, 1u) << "the jitter buffer is as deep as it was";
}

} // namespace
} // namespace jackfield::rtp
