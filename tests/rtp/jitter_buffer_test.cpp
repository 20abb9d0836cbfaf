#include "engine/rtp/jitter_buffer.hpp"

#include <array>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;
using kind = playout::kind;

constexpr time_point start{100s};
constexpr uint32_t rate = 48'000;
constexpr uint32_t step = 960;

// A sender whose payloads say their number, and a listener that pulls every 20 ms.
class jitter_buffer_world {
public:
  explicit jitter_buffer_world(uint16_t first_sequence = 1000, uint32_t first_timestamp = 5000,
                               const jitter_buffer_options& options = {.clock_rate = rate})
      : buffer(options), first_sequence_(first_sequence), first_timestamp_(first_timestamp) {}

  insertion insert(uint32_t number, time_point at, bool ends_talk = false) {
    return insert(number, number, at, ends_talk);
  }
  // The packet of this number with the time of that slot.
  insertion insert(uint32_t number, uint32_t time, time_point at, bool ends_talk = false) {
    packet p;
    p.ssrc = ssrc;
    p.sequence = static_cast<uint16_t>(first_sequence_ + number);
    p.timestamp = first_timestamp_ + time * step;
    std::array<std::byte, 4> bytes{};
    for (size_t i = 0; i < 4; ++i)
      bytes[i] = std::byte(static_cast<unsigned char>(number >> (8 * i)));
    p.payload = bytes;
    return buffer.insert(p, at, ends_talk);
  }

  static uint32_t number_of(const playout& out) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i)
      number |= std::to_integer<uint32_t>(out.payload[i]) << (8 * i);
    return number;
  }

  // Plays until `end`, with what comes at its time, and notes what was heard.
  void run(std::multimap<time_point, uint32_t> arrivals, time_point end) {
    for (auto t = start; t < end; t += 20ms) {
      while (!arrivals.empty() && arrivals.begin()->first <= t) {
        insert(arrivals.begin()->second, arrivals.begin()->first);
        arrivals.erase(arrivals.begin());
      }
      const auto out = buffer.pull(t);
      ++heard[out.what];
      if (out.what == kind::packet)
        numbers.push_back(number_of(out));
      worst_target = std::max(worst_target, buffer.target());
    }
  }

  jitter_buffer buffer;
  uint32_t ssrc = 7;
  std::map<kind, size_t> heard;
  std::vector<uint32_t> numbers;
  duration worst_target{};

private:
  uint16_t first_sequence_;
  uint32_t first_timestamp_;
};

using world = jitter_buffer_world;

TEST(jitter_buffer, plays_a_steady_stream_in_order_and_whole) {
  world w{65'000, 0xfffff000}; // both wrap around
  std::multimap<time_point, uint32_t> arrivals;
  for (uint32_t i = 0; i < 2000; ++i)
    arrivals.emplace(start + i * 20ms, i);
  w.run(arrivals, start + 40s);
  EXPECT_GT(w.numbers.size(), 1990u);
  // A packet is left out where the delay turns out longer than is needed, no more.
  EXPECT_EQ(w.heard[kind::conceal] + w.heard[kind::fec] + w.heard[kind::silence], 0u);
  for (size_t i = 1; i < w.numbers.size(); ++i)
    EXPECT_LE(w.numbers[i] - w.numbers[i - 1], 2u);
  EXPECT_LE(w.buffer.counts().dropped, 2u);
  EXPECT_EQ(w.buffer.target(), 20ms);
}

TEST(jitter_buffer, has_nothing_before_the_first_packet_is_due) {
  world w;
  EXPECT_EQ(w.buffer.pull(start).what, kind::nothing);
  EXPECT_EQ(w.insert(0, start), insertion::stored);
  EXPECT_EQ(w.buffer.pull(start + 10ms).what, kind::nothing);
  EXPECT_EQ(w.buffer.pull(start + 60ms).what, kind::packet);
}

TEST(jitter_buffer, puts_in_order_what_overtook_another_and_plays_nothing_twice) {
  world w;
  EXPECT_EQ(w.insert(1, start), insertion::stored);
  EXPECT_EQ(w.insert(0, start + 1ms), insertion::stored); // before the first one that came
  EXPECT_EQ(w.insert(3, start + 2ms), insertion::stored);
  EXPECT_EQ(w.insert(2, start + 3ms), insertion::stored);
  EXPECT_EQ(w.insert(2, start + 3ms), insertion::duplicate);
  for (uint32_t i = 0; i < 4; ++i) {
    const auto out = w.buffer.pull(start + 60ms + i * 20ms);
    ASSERT_EQ(out.what, kind::packet);
    EXPECT_EQ(world::number_of(out), i);
    EXPECT_EQ(out.units, step);
    EXPECT_EQ(w.insert(i, start + 60ms + i * 20ms), insertion::duplicate);
  }
  EXPECT_EQ(w.buffer.counts().duplicates, 5u);
}

TEST(jitter_buffer, conceals_a_loss_and_offers_the_next_packet_for_its_fec) {
  world w;
  std::vector<kind> kinds;
  for (uint32_t i = 0; i < 8; ++i) {
    const auto t = start + i * 20ms;
    if (i != 2 && i != 3)
      w.insert(i, t);
    const auto out = w.buffer.pull(t + 1ms);
    if (out.what == kind::nothing)
      continue;
    kinds.push_back(out.what);
    if (out.what == kind::fec) {
      EXPECT_EQ(world::number_of(out), 4u);
    }
  }
  EXPECT_EQ(kinds, (std::vector{kind::packet, kind::packet, kind::conceal, kind::fec, kind::packet,
                                kind::packet}));
  EXPECT_EQ(w.buffer.counts().missing, 2u);
  EXPECT_EQ(w.buffer.counts().recoverable, 1u);
}

TEST(jitter_buffer, hears_nearly_all_that_comes_with_30_ms_of_jitter_and_3_percent_of_loss) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    std::multimap<time_point, uint32_t> arrivals;
    constexpr uint32_t count = 3000;
    for (uint32_t i = 0; i < count; ++i) {
      if (random() % 100 >= 3)
        arrivals.emplace(start + i * 20ms + 50ms + std::chrono::microseconds{random() % 30'000}, i);
    }
    const auto came = arrivals.size();
    world w{static_cast<uint16_t>(seed * 7919), seed * 104'729'001};
    w.run(arrivals, start + count * 20ms);
    const auto& n = w.buffer.counts();
    EXPECT_GT(w.numbers.size(), came * 97 / 100) << seed;
    EXPECT_LT(n.late, came * 3 / 100) << seed;
    EXPECT_NEAR(static_cast<double>(n.missing), static_cast<double>(count - came + n.late),
                came * 0.01)
      << seed;
    EXPECT_GT(n.recoverable, n.missing / 2) << seed;
    for (size_t i = 1; i < w.numbers.size(); ++i)
      ASSERT_GT(w.numbers[i], w.numbers[i - 1]);
    EXPECT_LE(w.buffer.target(), 40ms) << seed;
  }
}

TEST(jitter_buffer, discards_what_comes_too_late_and_counts_it) {
  world w;
  uint32_t number = 0;
  auto t = start;
  for (; number < 200; ++number, t += 20ms) {
    w.insert(number, t);
    static_cast<void>(w.buffer.pull(t));
  }
  // One comes 150 ms after its turn.
  for (uint32_t i = 1; i < 10; ++i, t += 20ms) {
    w.insert(number + i, t + 20ms);
    static_cast<void>(w.buffer.pull(t + 20ms));
  }
  EXPECT_EQ(w.insert(number, t), insertion::late);
  EXPECT_EQ(w.buffer.counts().late, 1u);
  EXPECT_EQ(w.buffer.counts().missing, 1u);
  // What follows goes on where it was.
  for (uint32_t i = 10; i < 20; ++i, t += 20ms) {
    w.insert(number + i, t + 20ms);
    EXPECT_EQ(w.buffer.pull(t + 20ms).what, kind::packet) << i;
  }
  EXPECT_EQ(w.buffer.counts().missing, 1u);
}

TEST(jitter_buffer, counts_what_a_leap_ahead_leaves_no_room_for) {
  world w;
  w.insert(0, start);
  w.insert(1, start);
  EXPECT_EQ(w.insert(100, start), insertion::stored);
  // 37 is the first that is kept with 100; of those before it, two had come.
  EXPECT_EQ(w.buffer.counts().dropped, 2u);
  EXPECT_EQ(w.buffer.counts().missing, 35u);
}

TEST(jitter_buffer, conceals_for_400_ms_and_no_longer) {
  world w;
  auto t = start;
  for (uint32_t i = 0; i < 50; ++i, t += 20ms) {
    w.insert(i, t);
    static_cast<void>(w.buffer.pull(t));
  }
  std::vector<kind> heard;
  for (int i = 0; i < 40; ++i, t += 20ms)
    if (const auto out = w.buffer.pull(t); out.what != kind::packet)
      heard.push_back(out.what);
  std::vector<kind> wanted(20, kind::conceal);
  wanted.resize(heard.size(), kind::nothing);
  EXPECT_EQ(heard, wanted);
}

TEST(jitter_buffer, takes_more_delay_in_a_bad_time_and_loses_it_afterwards) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    std::mt19937 random{seed};
    std::multimap<time_point, uint32_t> arrivals;
    for (uint32_t i = 0; i < 6000; ++i) {
      const bool bad = i >= 500 && i < 800;
      arrivals.emplace(
        start + i * 20ms + std::chrono::microseconds{random() % (bad ? 150'000 : 5000)}, i);
    }
    world w;
    w.run(arrivals, start + 120s);
    EXPECT_GE(w.worst_target, 120ms) << seed;
    EXPECT_LE(w.worst_target, 200ms) << seed;
    EXPECT_EQ(w.buffer.target(), 20ms) << seed;
    EXPECT_LT(w.buffer.delay(start + 120s), 70ms) << seed;
    EXPECT_GT(w.buffer.counts().dropped, 3u) << seed;
  }
}

TEST(jitter_buffer, leaves_out_quiet_packets_first) {
  const auto pulls_until_short = [](bool quiet) {
    world w;
    // Twelve packets at once: 240 ms too much.
    for (uint32_t i = 0; i < 12; ++i)
      w.insert(i, start);
    auto t = start + 40ms;
    uint32_t number = 12;
    int pulls = 0;
    for (; pulls < 500; ++pulls, t += 20ms) {
      w.insert(number++, t);
      static_cast<void>(w.buffer.pull(t, quiet));
      if (pulls > 0 && w.buffer.delay(t) < w.buffer.target() + 45ms)
        break;
    }
    return pulls;
  };
  EXPECT_LT(pulls_until_short(true), pulls_until_short(false));
}

TEST(jitter_buffer, is_silent_where_the_sender_pauses_and_counts_no_loss) {
  world w;
  auto t = start;
  const auto play = [&](uint32_t number, uint32_t time, bool ends) {
    w.insert(number, time, t, ends);
    const auto out = w.buffer.pull(t);
    t += 20ms;
    return out.what;
  };
  uint32_t number = 0;
  for (; number < 20; ++number)
    play(number, number, number == 19);
  size_t silent = 0;
  for (int i = 0; i < 200; ++i, t += 20ms)
    silent += w.buffer.pull(t).what == kind::silence ? 1 : 0;
  EXPECT_GE(silent, 195u);
  // Talk goes on after four seconds, with the next number, and with all of its delay.
  EXPECT_EQ(play(20, 220, false), kind::silence);
  std::map<kind, size_t> kinds;
  for (uint32_t i = 21; i < 60; ++i)
    ++kinds[play(i, i + 200, false)];
  EXPECT_GE(kinds[kind::packet], 36u);
  EXPECT_EQ(kinds[kind::conceal] + kinds[kind::fec], 0u);
  EXPECT_EQ(w.buffer.counts().missing, 0u);
  EXPECT_EQ(w.buffer.counts().late, 0u);
}

TEST(jitter_buffer, plays_what_comes_after_a_pause_that_nobody_announced) {
  for (const uint32_t pause : {3u, 10u, 15u, 100u, 1000u}) {
    world w;
    auto t = start;
    for (uint32_t i = 0; i < 50; ++i, t += 20ms) {
      w.insert(i, t);
      static_cast<void>(w.buffer.pull(t));
    }
    for (uint32_t i = 0; i < pause; ++i, t += 20ms)
      static_cast<void>(w.buffer.pull(t));
    size_t played = 0;
    for (uint32_t i = 50; i < 100; ++i, t += 20ms) {
      EXPECT_EQ(w.insert(i, i + pause, t), insertion::stored) << pause;
      const auto out = w.buffer.pull(t).what;
      if (i == 50 && pause >= 10) {
        EXPECT_NE(out, kind::packet) << pause << ": talk that begins is given its delay";
      }
      played += out == kind::packet ? 1 : 0;
    }
    EXPECT_GE(played, 46u) << pause;
    EXPECT_EQ(w.buffer.counts().missing, 0u) << pause;
  }
}

/// A packet lasts 120 ms at most: a longer way to the next is a pause.
TEST(jitter_buffer, takes_no_pause_for_a_packets_length) {
  for (const auto& [distance, units] :
       {std::pair{120ms, 120 * rate / 1000}, std::pair{125ms, step}}) {
    world w;
    auto t = start;
    for (uint32_t i = 0; i < 30; ++i, t += 20ms) {
      w.insert(i, t);
      static_cast<void>(w.buffer.pull(t));
    }
    packet next;
    next.ssrc = w.ssrc;
    next.sequence = 1000 + 30;
    next.timestamp = 5000 + 29 * step + static_cast<uint32_t>(distance.count()) * rate / 1000;
    const std::array<std::byte, 4> payload{};
    next.payload = payload;
    ASSERT_EQ(w.buffer.insert(next, t), insertion::stored);
    EXPECT_EQ(w.buffer.pull(t).units, units) << distance.count() << " ms";
  }
}

TEST(jitter_buffer, catches_up_after_the_network_stood_still) {
  world w;
  std::multimap<time_point, uint32_t> arrivals;
  for (uint32_t i = 0; i < 1000; ++i) {
    const auto sent = start + i * 20ms;
    const bool held = i >= 200 && i < 250; // a second, and then all at once
    arrivals.emplace(held ? start + 5s : sent, i);
  }
  w.run(arrivals, start + 20s);
  EXPECT_LT(w.buffer.delay(start + 20s), 250ms);
  EXPECT_EQ(w.numbers.back() / 10, 99u);
}

TEST(jitter_buffer, begins_anew_with_another_source_or_other_numbers) {
  world w;
  auto t = start;
  for (uint32_t i = 0; i < 20; ++i, t += 20ms) {
    w.insert(i, t);
    static_cast<void>(w.buffer.pull(t));
  }
  w.ssrc = 8;
  EXPECT_EQ(w.insert(40'000, t), insertion::stored);
  EXPECT_EQ(w.buffer.counts().restarts, 1u);
  // One packet with other numbers is a stray, two in line are the stream.
  EXPECT_EQ(w.insert(10'000, t), insertion::stray);
  EXPECT_EQ(w.insert(40'001, t), insertion::stored);
  EXPECT_EQ(w.insert(10'000, t), insertion::stray);
  EXPECT_EQ(w.insert(10'001, t), insertion::stored);
  EXPECT_EQ(w.buffer.counts().restarts, 2u);
  // The same numbers with a time that is an hour off.
  EXPECT_EQ(w.insert(10'002, 10'002 + 180'000, t), insertion::stray);
  EXPECT_EQ(w.insert(10'003, 10'003 + 180'000, t), insertion::stored);
  EXPECT_EQ(w.buffer.pull(t + 60ms).what, kind::packet);
}

TEST(jitter_buffer, sec_07_plays_on_for_fifty_days) {
  world w;
  auto t = start;
  uint32_t number = 0;
  uint64_t played = 0;
  const auto run = [&](uint32_t count) {
    for (uint32_t i = 0; i < count; ++i, ++number, t += 20ms) {
      EXPECT_EQ(w.insert(number, t), insertion::stored);
      played += w.buffer.pull(t).what == kind::packet ? 1 : 0;
    }
  };
  run(100);
  // A muted stretch of a sixth of the timestamp's range, again and again; numbers do not go on in
  // it, but those of time do.
  uint32_t time = number;
  for (int stretch = 0; stretch < 290; ++stretch) {
    const uint32_t slots = 745'654; // four hours
    t += slots * 20ms;
    time += slots;
    for (int i = 0; i < 20; ++i, ++number, ++time, t += 20ms) {
      ASSERT_EQ(w.insert(number, time, t), insertion::stored) << stretch;
      played += w.buffer.pull(t).what == kind::packet ? 1 : 0;
    }
  }
  EXPECT_GT(t - start, 24h * 48);
  EXPECT_GT(played, 100u + 290 * 15);
  EXPECT_EQ(w.buffer.counts().restarts, 0u);
  EXPECT_LT(w.buffer.delay(t), 100ms);
}

TEST(jitter_buffer, sec_07_takes_payloads_of_every_size_and_keeps_64_packets) {
  jitter_buffer buffer;
  const std::vector<std::byte> body(2000, std::byte{5});
  packet p;
  for (size_t size = 0; size <= body.size(); ++size) {
    p.payload = std::span{body}.first(size);
    ++p.sequence;
    p.timestamp += 160;
    EXPECT_EQ(buffer.insert(p, start),
              size == 0 || size > 1500 ? insertion::refused : insertion::stored);
  }
  const auto& n = buffer.counts();
  EXPECT_EQ(n.refused, 501u);
  EXPECT_EQ(n.stored, 1500u);
  EXPECT_EQ(n.dropped, 1500u - jitter_buffer::capacity);
}

TEST(jitter_buffer, sec_07_survives_any_numbers) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    jitter_buffer buffer;
    const std::vector<std::byte> body(1600);
    auto t = start;
    for (int i = 0; i < 5000; ++i) {
      packet p;
      p.sequence = static_cast<uint16_t>(random() % (i % 100 == 0 ? 65'536 : 200));
      p.timestamp = random() % (i % 70 == 0 ? 0xffffffffU : 32'000);
      p.ssrc = i % 500 == 0 ? random() : p.ssrc;
      p.payload = std::span{body}.first(random() % body.size());
      static_cast<void>(buffer.insert(p, t, random() % 8 == 0));
      const auto out = buffer.pull(t, random() % 2 == 0);
      EXPECT_LE(out.payload.size(), jitter_buffer::most_bytes);
      t += std::chrono::milliseconds{random() % 40};
    }
    const auto& n = buffer.counts();
    EXPECT_LE(n.played + n.dropped, n.stored);
  }
}

TEST(delay_estimate, follows_the_jitter_and_a_path_that_changed) {
  delay_estimate e;
  EXPECT_EQ(e.needed(), 40ms);
  std::mt19937 random{1};
  for (int i = 0; i < 2000; ++i)
    e.on_packet(100ms + std::chrono::microseconds{random() % 50'000});
  EXPECT_NEAR(std::chrono::duration<double>(e.earliest()).count(), 0.100, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(e.needed()).count(), 0.050, 0.006);
  for (int i = 0; i < 3000; ++i)
    e.on_packet(300ms);
  EXPECT_EQ(e.earliest(), 300ms);
  EXPECT_EQ(e.needed(), 5ms);
}

} // namespace
} // namespace jackfield::rtp
