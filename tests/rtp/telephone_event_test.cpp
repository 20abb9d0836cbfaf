#include "engine/rtp/telephone_event.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/guarded_bytes.hpp"

namespace jackfield::rtp {
namespace {

using namespace std::chrono_literals;

struct sent_packet {
  uint32_t tick = 0;
  telephone_event_sender::outgoing out;

  [[nodiscard]] telephone_event event() const { return *parse_telephone_event(out.payload); }
};

// What the sender gives out over some packet times, from timestamp 1000 on.
std::vector<sent_packet> run(telephone_event_sender& s, uint32_t ticks, uint32_t samples = 160) {
  std::vector<sent_packet> out;
  for (uint32_t t = 0; t < ticks; ++t) {
    if (const auto p = s.next(1000 + t * samples))
      out.push_back({t, *p});
  }
  return out;
}

// What a listener hears: '<' digit at a start, '>' at an end, '!' where the end was lost.
class listener {
public:
  void hear(const telephone_event_change& c) {
    if (c.interrupted)
      heard += '!';
    if (c.started)
      heard += std::string("<") + digit_of_event(*c.started).value_or('?');
    if (c.ended) {
      heard += '>';
      durations.push_back(c.ended->duration);
    }
    if (c.interrupted)
      durations.push_back(c.interrupted->duration);
  }
  void packet(const sent_packet& p) {
    hear(receiver.on_packet(p.out.timestamp, p.out.payload, time_point{p.tick * 20ms}));
  }

  telephone_event_receiver receiver;
  std::string heard;
  std::vector<uint32_t> durations;
};

TEST(telephone_event, maps_digits_both_ways) {
  const std::string all = "0123456789*#ABCD";
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(event_of_digit(all[i]), i);
    EXPECT_EQ(digit_of_event(static_cast<uint8_t>(i)), all[i]);
  }
  EXPECT_EQ(event_of_digit('b'), 13);
  for (const char c : {'E', 'e', ' ', '\0', '+', '\xff'})
    EXPECT_FALSE(event_of_digit(c)) << c;
  EXPECT_FALSE(digit_of_event(16));
  EXPECT_FALSE(digit_of_event(255));
}

TEST(telephone_event, reads_what_it_wrote) {
  for (const auto& e : {telephone_event{0, false, 0, 0}, telephone_event{255, true, 63, 65535},
                        telephone_event{11, false, 10, 160}})
    EXPECT_EQ(parse_telephone_event(encode(e)), e);
  EXPECT_EQ(encode({5, true, 10, 0x0320}),
            (std::array{std::byte{5}, std::byte{0x8a}, std::byte{3}, std::byte{0x20}}));
}

TEST(sec_07, telephone_event_never_reads_past_a_prefix) {
  for (size_t n = 0; n < 8; ++n) {
    const tests::guarded_bytes guarded{std::string(n, '\xff')};
    EXPECT_EQ(parse_telephone_event(guarded.bytes()).has_value(), n >= 4);
    telephone_event_receiver r;
    r.on_packet(0, guarded.bytes(), {});
    EXPECT_EQ(r.malformed(), n < 4 ? 1u : 0u);
  }
}

TEST(telephone_event_sender, sends_growing_durations_three_ends_and_a_pause) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial("5#"));
  const auto packets = run(s, 30);
  ASSERT_EQ(packets.size(), 14u);
  for (size_t digit = 0; digit < 2; ++digit) {
    const uint32_t start = digit == 0 ? 0 : 8;
    for (size_t i = 0; i < 7; ++i) {
      const auto& p = packets[digit * 7 + i];
      EXPECT_EQ(p.tick, start + i);
      EXPECT_EQ(p.out.timestamp, 1000 + start * 160);
      EXPECT_EQ(p.out.marker, i == 0);
      EXPECT_EQ(p.event().event, digit == 0 ? 5 : 11);
      EXPECT_EQ(p.event().duration, std::min<size_t>(i + 1, 5) * 160);
      EXPECT_EQ(p.event().end, i >= 4);
      EXPECT_EQ(p.event().volume, 10);
    }
  }
  EXPECT_FALSE(s.busy());
  EXPECT_EQ(s.sent(), 2u);
}

TEST(telephone_event_sender, keeps_the_pause_between_digits) {
  telephone_event_sender s{{8000, 40ms, 200ms, 20ms, 10}};
  ASSERT_TRUE(s.dial("12"));
  const auto packets = run(s, 40);
  ASSERT_EQ(packets.size(), 8u);
  // The first ends with its second packet; 200 ms later the second begins.
  EXPECT_TRUE(packets[1].event().end);
  EXPECT_EQ(packets[4].tick, packets[1].tick + 11);
}

TEST(telephone_event_sender, sends_a_digit_of_one_packet) {
  telephone_event_sender s{{8000, 15ms, 0ms, 20ms, 10}};
  ASSERT_TRUE(s.dial("1"));
  const auto packets = run(s, 10);
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_TRUE(packets[0].out.marker);
  EXPECT_FALSE(packets[1].out.marker);
  for (const auto& p : packets) {
    EXPECT_TRUE(p.event().end);
    EXPECT_EQ(p.event().duration, 120);
  }
}

TEST(telephone_event_sender, goes_by_another_clock_and_packet_time_from_the_next_digit_on) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial("12"));
  auto packets = run(s, 7);
  s.set_pace(48'000, 50ms);
  packets = run(s, 12, 2400);
  ASSERT_EQ(packets.size(), 4u);
  EXPECT_EQ(packets[0].tick, 1u) << "after the pause that was under way";
  EXPECT_EQ(packets[0].event().duration, 2400);
  EXPECT_EQ(packets[1].event().duration, 4800);
  EXPECT_TRUE(packets[1].event().end);
  EXPECT_TRUE(packets[3].event().end);
}

TEST(telephone_event_sender, refuses_what_is_no_digit) {
  telephone_event_sender s;
  const auto refused = s.dial("12x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().to_string(),
            "digits \"12x\": 'x' is no digit, expected 0-9, *, # or A-D");
  EXPECT_FALSE(s.busy());
  EXPECT_FALSE(s.next(0));
  EXPECT_TRUE(s.dial(std::string(telephone_event_sender::max_queued, '1')));
  EXPECT_FALSE(s.dial("1"));
  EXPECT_FALSE(s.dial_event(16, 100ms));
  EXPECT_FALSE(telephone_event_sender{}.dial_event(16, 0ms));
  EXPECT_FALSE(telephone_event_sender{}.dial_event(16, 1h));
}

TEST(telephone_event_sender, does_not_grow_when_always_dialing) {
  telephone_event_sender s;
  listener ear;
  std::string dialed;
  for (uint32_t t = 0; t < 20'000; ++t) {
    if (t % 8 == 0) {
      const char digit = "0123456789"[t / 8 % 10];
      ASSERT_TRUE(s.dial(std::string(1, digit)));
      dialed += std::string("<") + digit + ">";
    }
    if (const auto p = s.next(t * 160))
      ear.packet({t, *p});
  }
  EXPECT_EQ(ear.heard, dialed);
}

TEST(telephone_event_sender, divides_long_events_into_segments) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial_event(16, 20s)); // 160,000 units: two full segments and a rest
  const auto packets = run(s, 1010);
  listener ear;
  unsigned markers = 0;
  for (const auto& p : packets) {
    ear.packet(p);
    markers += p.out.marker ? 1 : 0;
  }
  EXPECT_EQ(markers, 1u);
  EXPECT_EQ(packets.front().out.timestamp, 1000u);
  EXPECT_EQ(packets.back().out.timestamp, 1000u + 2 * 65535);
  EXPECT_EQ(std::ranges::count_if(packets, [](auto& p) { return p.event().end; }), 3);
  EXPECT_EQ(std::ranges::count_if(packets, [](auto& p) { return p.event().duration == 65535; }), 2);
  EXPECT_EQ(ear.heard, "<?>");
  EXPECT_EQ(ear.durations, std::vector<uint32_t>{160'000});
}

TEST(telephone_event_receiver, reports_each_digit_once_under_duplication_and_reordering) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial("1123*#A"));
  const auto packets = run(s, 100);
  for (uint32_t seed = 0; seed < 50; ++seed) {
    std::mt19937 random{seed};
    std::vector<std::pair<uint32_t, const sent_packet*>> order;
    for (const auto& p : packets) {
      const auto copies = 1 + random() % 2;
      for (unsigned i = 0; i < copies; ++i)
        order.emplace_back(p.tick + random() % 3, &p);
    }
    std::ranges::stable_sort(order, {}, [](const auto& x) { return x.first; });
    listener ear;
    for (const auto& [tick, p] : order)
      ear.packet(*p);
    EXPECT_EQ(ear.heard, "<1><1><2><3><*><#><A>") << seed;
  }
}

TEST(telephone_event_receiver, hears_a_digit_of_which_any_one_packet_came) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial("7"));
  for (const auto& p : run(s, 20)) {
    listener ear;
    ear.packet(p);
    EXPECT_EQ(ear.heard, p.event().end ? "<7>" : "<7");
    EXPECT_EQ(ear.receiver.active(), !p.event().end);
  }
}

TEST(telephone_event_receiver, ends_a_digit_whose_end_was_lost) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial("89"));
  listener ear;
  for (const auto& p : run(s, 30)) {
    if (!p.event().end)
      ear.packet(p);
  }
  EXPECT_EQ(ear.heard, "<8!<9");
  ear.hear(ear.receiver.on_time(time_point{12 * 20ms}));
  EXPECT_EQ(ear.heard, "<8!<9");
  ear.hear(ear.receiver.on_time(time_point{100 * 20ms}));
  EXPECT_EQ(ear.heard, "<8!<9!");
  ear.hear(ear.receiver.on_time(time_point{200 * 20ms}));
  EXPECT_EQ(ear.heard, "<8!<9!");
  EXPECT_EQ(ear.durations, (std::vector<uint32_t>{640, 640}));
}

TEST(telephone_event_receiver, takes_a_late_packet_of_an_ended_event_for_nothing_new) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial("34"));
  const auto packets = run(s, 30);
  listener ear;
  for (const auto& p : packets)
    ear.packet(p);
  ear.packet(packets.front()); // of the first digit
  ear.packet(packets[8]);      // of the second, whose end came
  EXPECT_EQ(ear.heard, "<3><4>");
}

TEST(telephone_event_receiver, follows_timestamps_over_their_wrap_and_anew) {
  listener ear;
  const auto end = encode({1, true, 10, 800});
  ear.hear(ear.receiver.on_packet(0xffffff00, end, {}));
  ear.hear(ear.receiver.on_packet(0x00000100, end, {}));
  ear.hear(ear.receiver.on_packet(0x80000000, end, {})); // far ahead or behind: begun anew
  ear.hear(ear.receiver.on_packet(0x00000100, end, {}));
  EXPECT_EQ(ear.heard, "<1><1><1><1>");
}

TEST(telephone_event_receiver, joins_segments_even_if_one_was_lost_in_part) {
  telephone_event_sender s;
  ASSERT_TRUE(s.dial_event(1, 20s));
  listener ear;
  for (const auto& p : run(s, 1010)) {
    if (p.tick % 7 == 0 || p.event().end)
      ear.packet(p);
  }
  EXPECT_EQ(ear.heard, "<1>");
  EXPECT_EQ(ear.durations, std::vector<uint32_t>{160'000});
}

} // namespace
} // namespace jackfield::rtp
