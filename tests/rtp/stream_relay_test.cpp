#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/rtp/simulated_call.hpp"

namespace jackfield::rtp {
namespace {

const std::array<std::byte, 160> voice{};

uint32_t units_between(time_point a, time_point b) {
  return static_cast<uint32_t>(to_units(b - a, 8000));
}

/// a calls b, which is joined with c, which calls d.
struct chain {
  explicit chain(const faults& a_to_b = {}, const faults& c_to_d = {}, uint32_t seed = 1)
      : world(seed) {
    a.send_to(b, a_to_b);
    b.send_to(a);
    c.send_to(d, c_to_d);
    d.send_to(c);
    for (auto* end : {&a, &b, &d})
      end->connect();
    auto how = party::usual(); // the far leg has numbers of its own
    how.send = {{0, pcmu}, {97, pcma}};
    how.receive = {{97, pcma}};
    how.send_event_type = 120;
    c.connect(how);
    how.receive_event_type = 120;
    how.send_event_type = 101;
    how.receive = {{0, pcmu}, {97, pcma}};
    how.send = {{97, pcma}};
    d.connect(how);
  }
  void join() {
    b.join(&c);
    c.join(&b);
    b->set_mode(stream_mode::relay, world.now);
    c->set_mode(stream_mode::relay, world.now);
  }
  void part() {
    b.join(nullptr);
    c.join(nullptr);
    b->set_mode(stream_mode::play, world.now);
    c->set_mode(stream_mode::play, world.now);
  }

  simulation world;
  party a{world, 0xa};
  party b{world, 0xb};
  party c{world, 0xc};
  party d{world, 0xd};
};

/// Numbers go on by one, and timestamps with the time, give or take `slack`.
void expect_continuous(const std::vector<party::sent_packet>& sent, duration slack) {
  ASSERT_FALSE(sent.empty());
  const auto& first = sent.front();
  for (size_t i = 1; i < sent.size(); ++i) {
    const auto& p = sent[i];
    ASSERT_EQ(p.ssrc, first.ssrc);
    ASSERT_EQ(p.sequence, static_cast<uint16_t>(first.sequence + i)) << i;
    const auto ahead =
      static_cast<int32_t>(p.timestamp - first.timestamp - units_between(first.at, p.at));
    ASSERT_LE(std::abs(ahead), to_units(slack, 8000)) << i;
    ASSERT_GT(static_cast<int32_t>(p.timestamp - sent[i - 1].timestamp), 0) << i;
  }
}

TEST(rtp_relay, sends_on_each_packet_as_it_came_under_its_own_name) {
  chain x;
  x.join();
  x.world.run_for(60s);
  ASSERT_EQ(x.a.sent.size(), 3000u);
  ASSERT_EQ(x.c.sent.size(), 2998u); // one for probation, one on its way
  for (size_t n = 0; n < x.c.sent.size(); ++n) {
    const auto& in = x.a.sent[n + 1];
    const auto& out = x.c.sent[n];
    EXPECT_EQ(out.at, in.at + 20ms);
    EXPECT_EQ(out.payload, in.payload);
    EXPECT_EQ(out.ssrc, 0xcu);
    EXPECT_EQ(out.payload_type, 97) << "PCMA, as it came, although PCMU is preferred here";
    EXPECT_EQ(out.marker, n == 0) << n;
  }
  expect_continuous(x.c.sent, 0ms);
  EXPECT_EQ(x.c->outcome().relayed_gaps, 0u);
  for (auto* end : {&x.a, &x.d}) {
    const auto out = (*end)->outcome();
    EXPECT_EQ(out.received.lost, 0u);
    EXPECT_EQ(out.received.jitter_max, 0ns);
    EXPECT_GT(*out.mos, 4.3);
    EXPECT_GT(*out.remote_mos, 4.3);
  }
}

TEST(rtp_relay, keeps_what_the_network_did_and_adds_nothing_by_many_seeds) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    chain x{{.jitter = 10ms, .loss = 0.05, .duplicate = 0.02, .reorder = 0.02},
            {.loss = seed % 2 == 0 ? 0.02 : 0.0},
            seed};
    x.join();
    x.world.run_for(60s);
    x.a.send_to(x.b); // none knows of a loss that nothing follows
    x.c.send_to(x.d);
    x.world.run_for(1s);
    x.a->stop(x.world.now, x.a);
    x.world.run_for(1s);
    const auto b = x.b->outcome();
    const auto d = x.d->outcome();
    std::set<uint16_t> numbers;
    for (const auto& p : x.c.sent)
      EXPECT_TRUE(numbers.insert(p.sequence).second) << seed << ": number used twice";
    EXPECT_EQ(x.c.sent.size(), x.b.heard.size()) << seed << ": all, and no duplicate";
    EXPECT_EQ(b.received.lost, x.a.lost.size()) << seed;
    EXPECT_EQ(d.received.lost, x.a.lost.size() + x.c.lost.size()) << seed;
    EXPECT_EQ(d.received.duplicates, 0u);
    EXPECT_NEAR(static_cast<double>(d.received.reordered),
                static_cast<double>(b.received.reordered), 5)
      << seed << ": what was overtaken comes overtaken";
    EXPECT_EQ(d.received.timestamp_jumps + d.received.restarts, 0u);
    EXPECT_EQ(x.c->outcome().relayed_gaps, x.a.lost.size()) << seed;
    EXPECT_LT(*d.mos, 4.2);
    // Each packet has the audio and, by a constant offset, the time that it came with.
    for (const auto& out : x.c.sent) {
      const auto in = std::ranges::find(x.a.sent, out.payload, &party::sent_packet::payload);
      ASSERT_NE(in, x.a.sent.end());
      EXPECT_EQ(out.timestamp - in->timestamp, x.c.sent[0].timestamp - x.b.heard[0].timestamp);
      EXPECT_EQ(static_cast<uint16_t>(out.sequence - in->sequence),
                static_cast<uint16_t>(x.c.sent[0].sequence - x.b.heard[0].sequence));
    }
  }
}

TEST(rtp_relay, goes_from_play_to_relay_and_back_in_one_stream) {
  chain x;
  for (int round = 0; round < 5; ++round) {
    x.world.run_for(3s + 7ms);
    x.join();
    x.world.run_for(3s + 11ms);
    x.part();
  }
  x.world.run_for(3s);
  for (const auto* end : {&x.b, &x.c}) {
    // A switch may come in the middle of a frame: it costs or gains less than one.
    expect_continuous(end->sent, 21ms);
    EXPECT_EQ(std::ranges::count_if(end->sent, [](auto& p) { return p.marker; }), 11);
  }
  const auto d = x.d->outcome();
  EXPECT_EQ(d.received.lost, 0u);
  EXPECT_EQ(d.received.ssrc_changes + d.received.restarts + d.received.timestamp_jumps, 0u);
  EXPECT_EQ(d.received.discarded, 0u);
}

/// RFC 3550 §5.1: one clock. What was relayed may have been ahead of the time: the own stream goes
/// on behind it.
TEST(rtp_relay, goes_on_by_itself_behind_what_it_relayed) {
  simulation world;
  party b{world, 0xb, stream_mode::listen};
  party c{world, 0xc, stream_mode::relay};
  b.join(&c);
  b.connect();
  c.connect();
  for (uint16_t n = 0; n < 70; ++n) {
    b.hear({8, n == 0, n, n * 160U, 2}, voice);
    if (n < 50) // the last 400 ms come at once
      world.run_for(20ms);
  }
  b.join(nullptr);
  const auto relayed = c.sent.size();
  ASSERT_GT(relayed, 60u);
  c->set_mode(stream_mode::play, world.now);
  world.run_for(1s);
  ASSERT_GT(c.sent.size(), relayed + 40);
  EXPECT_TRUE(c.sent[relayed].marker);
  for (size_t i = 1; i < c.sent.size(); ++i)
    EXPECT_GE(static_cast<int32_t>(c.sent[i].timestamp - c.sent[i - 1].timestamp), 160) << i;
}

TEST(rtp_relay, says_in_its_reports_what_media_time_it_is) {
  chain x;
  x.join();
  x.world.run_for(30s);
  class ear final : public rtcp_visitor {
  public:
    void on_sender_report(uint32_t, const sender_info& info) override { said = info; }
    sender_info said;
  } heard;
  const auto& [at, bytes] = x.c.reports.back();
  ASSERT_TRUE(parse_rtcp(bytes, heard));
  EXPECT_NEAR(heard.said.rtp_timestamp, x.c.sent[0].timestamp + units_between(x.c.sent[0].at, at),
              1);
}

TEST(rtp_relay, passes_digits_on_whole) {
  chain x;
  x.join();
  x.world.run_for(1s);
  ASSERT_TRUE(x.a->dial("159#", x.world.now));
  ASSERT_TRUE(x.d->dial("0", x.world.now));
  x.world.run_for(3s);
  EXPECT_EQ(x.b.events, "<1><5><9><#>") << "the joint hears them too";
  EXPECT_EQ(x.d.events, "<1><5><9><#>");
  EXPECT_EQ(x.a.events, "<0>");
  EXPECT_EQ(x.d.lengths, std::vector<duration>(4, 100ms));
  std::vector<party::sent_packet> events;
  std::ranges::copy_if(x.c.sent, std::back_inserter(events),
                       [](auto& p) { return p.payload_type == 120; });
  ASSERT_EQ(events.size(), 28u) << "seven packets each, three of them ends";
  for (size_t i = 0; i < events.size(); ++i) {
    const auto& p = events[i];
    EXPECT_EQ(p.marker, i % 7 == 0) << i;
    EXPECT_EQ(p.timestamp, events[i / 7 * 7].timestamp) << i;
    const auto said = parse_telephone_event(p.payload);
    ASSERT_TRUE(said);
    EXPECT_EQ(said->end, i % 7 >= 4);
    EXPECT_EQ(said->duration, std::min<size_t>(i % 7 + 1, 5) * 160);
  }
  const auto d = x.d->outcome();
  EXPECT_EQ(d.digits_received, "159#");
  EXPECT_EQ(d.received.lost, 0u);
  EXPECT_EQ(d.received.jitter_max, 0ns);
}

TEST(rtp_relay, passes_digits_on_over_bad_networks) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const faults bad{.jitter = 10ms, .loss = 0.05, .duplicate = 0.03, .reorder = 0.05};
    chain x{bad, bad, seed};
    x.join();
    x.world.run_for(1s);
    ASSERT_TRUE(x.a->dial("147*2580", x.world.now));
    x.world.run_for(5s);
    EXPECT_EQ(x.d.events, "<1><4><7><*><2><5><8><0>") << seed;
    uint32_t last = 0;
    for (const auto& p : x.c.sent) {
      if (p.payload_type == 120 && p.marker) {
        EXPECT_NE(p.timestamp, last) << seed << ": an event's beginning was marked twice";
        last = p.timestamp;
      }
    }
  }
}

TEST(rtp_relay, marks_only_the_first_of_an_events_segments) {
  simulation world;
  party c{world, 0xc, stream_mode::relay};
  c.connect();
  uint16_t number = 0;
  const auto relay = [&](uint32_t timestamp, bool marker, const telephone_event& said) {
    const auto payload = encode(said);
    packet p;
    p.payload_type = 101;
    p.marker = marker;
    p.sequence = number++;
    p.timestamp = timestamp;
    p.ssrc = 9;
    p.payload = payload;
    c->relay({p, heard_packet::content::event, 0, world.now}, c);
    return c.sent.back();
  };
  EXPECT_TRUE(relay(1000, true, {1, false, 10, 160}).marker);
  EXPECT_FALSE(relay(1000, false, {1, false, 10, 65535}).marker);
  EXPECT_FALSE(relay(1000 + 65535, false, {1, false, 10, 160}).marker);
  EXPECT_FALSE(relay(1000 + 65535, true, {1, true, 10, 320}).marker) << "whatever its source says";
  EXPECT_TRUE(relay(200'000, false, {2, false, 10, 320}).marker) << "whose first packet was lost";
}

TEST(rtp_relay, dials_digits_of_its_own_in_the_place_of_what_it_relays) {
  chain x{{.jitter = 10ms, .reorder = 0.1}};
  x.join();
  x.world.run_for(1s);
  ASSERT_TRUE(x.c->dial("77", x.world.now));
  x.world.run_for(2s);
  ASSERT_TRUE(x.c->dial("8", x.world.now));
  x.world.run_for(2s);
  EXPECT_EQ(x.d.events, "<7><7><8>");
  EXPECT_TRUE(x.b.events.empty());
  const auto d = x.d->outcome();
  EXPECT_EQ(d.received.duplicates, 0u);
  // What was overtaken by a digit has no place left.
  EXPECT_LE(d.received.lost, 9u);
  EXPECT_EQ(d.received.lost, x.c->outcome().relayed_gaps);
  const auto is_event = [](auto& p) { return p.payload_type == 120; };
  const auto first = std::ranges::find_if(x.c.sent, is_event);
  for (auto p = first; p != first + 7; ++p)
    EXPECT_TRUE(is_event(*p)) << "audio between the packets of a digit";
  EXPECT_TRUE((first + 7)->marker);
  const auto slack = static_cast<int32_t>(first->timestamp - x.c.sent[0].timestamp -
                                          units_between(x.c.sent[0].at, first->at));
  EXPECT_LE(std::abs(slack), 400);
}

TEST(rtp_relay, leaves_no_gap_for_what_it_cannot_send_on) {
  simulation world;
  party b{world, 0xb, stream_mode::listen};
  party c{world, 0xc, stream_mode::relay};
  b.join(&c);
  b.connect();
  auto how = party::usual();
  how.send = {{8, pcma}};
  how.send_event_type = std::nullopt;
  c.connect(how);
  uint64_t lost = 0;
  for (uint16_t n = 0; n < 600; ++n) {
    constexpr std::array<uint8_t, 6> types{8, 8, 13, 101, 0, 8}; // noise, a digit, PCMU
    const auto type = types[n / 7 % types.size()];
    if (type == 101)
      b.hear({type, false, n, n / 7 * 7 * 160U, 2}, encode({3, n % 7 > 3, 10, 160}));
    else if (n % 50 == 47)
      ++lost;
    else
      b.hear({type, false, n, n * 160U, 2}, voice);
    world.run_for(20ms);
  }
  ASSERT_GT(c.sent.size(), 250u);
  const auto span = static_cast<uint16_t>(c.sent.back().sequence - c.sent.front().sequence + 1);
  const auto heard = b->outcome().received;
  EXPECT_EQ(heard.lost, lost);
  EXPECT_EQ(span, c.sent.size() + heard.lost) << "the gaps are what was lost";
  EXPECT_EQ(c->outcome().relayed_gaps, lost);
  for (const auto& p : c.sent)
    EXPECT_EQ(p.timestamp - c.sent[0].timestamp, units_between(c.sent[0].at, p.at));
}

TEST(rtp_relay, follows_a_source_that_changes_in_the_middle) {
  simulation world;
  party b{world, 0xb, stream_mode::listen};
  party c{world, 0xc, stream_mode::relay};
  party d{world, 0xd, stream_mode::listen};
  b.join(&c);
  c.send_to(d);
  for (auto* end : {&b, &c, &d})
    end->connect();
  struct source {
    uint32_t ssrc;
    uint16_t sequence;
    uint32_t timestamp;
  };
  // Another SSRC; the same one begun anew; the same with another time only, from both sides; and
  // one that comes back.
  source now{2, 65'500, 0xffffff00};
  const auto talk = [&](int packets, bool marker = false) {
    for (int i = 0; i < packets; ++i) {
      b.hear({8, marker && i == 0, now.sequence++, now.timestamp, now.ssrc}, voice);
      now.timestamp += 160;
      world.run_for(20ms);
    }
  };
  talk(100);
  now = {77, 5, 123};
  talk(100);
  now.sequence += 20'000;
  now.timestamp += 0x60000000;
  talk(100);
  now.timestamp += 0x70000000;
  talk(100);
  now.timestamp -= 0x30000000;
  talk(100);
  now.timestamp -= 5 * 8000;
  talk(100, true); // a smaller jump where a talkspurt begins
  now = {2, 65'500, 0xffffff00};
  talk(100);
  // Seven hundred, but for the first of each source that was begun.
  ASSERT_EQ(c.sent.size(), 696u);
  expect_continuous(c.sent, 1ms);
  EXPECT_EQ(std::ranges::count_if(c.sent, [](auto& p) { return p.marker; }), 7);
  world.run_for(1s);
  const auto heard = d->outcome().received;
  EXPECT_EQ(heard.expected, 696u);
  EXPECT_EQ(heard.lost + heard.discarded + heard.timestamp_jumps + heard.restarts, 0u);
}

TEST(rtp_relay, leaves_the_time_alone_that_the_network_took) {
  simulation world;
  party b{world, 0xb, stream_mode::listen};
  party c{world, 0xc, stream_mode::relay};
  b.join(&c);
  b.connect();
  c.connect();
  for (uint16_t n = 0; n < 400; ++n) {
    b.hear({8, n == 0, n, n * 160U, 2}, voice);
    if (n < 100 || n > 200) // then 3 s of silence, and all of them at once
      world.run_for(n == 201 ? 3s : 20ms);
  }
  for (size_t i = 1; i < c.sent.size(); ++i) {
    EXPECT_EQ(c.sent[i].timestamp - c.sent[i - 1].timestamp, 160u);
    EXPECT_FALSE(c.sent[i].marker);
  }
}

TEST(rtp_relay, passes_the_markers_of_talkspurts_on) {
  simulation world;
  party b{world, 0xb, stream_mode::listen};
  party c{world, 0xc, stream_mode::relay};
  b.join(&c);
  b.connect();
  c.connect();
  uint16_t number = 0;
  for (uint32_t n = 0; n < 500; ++n) { // half of the time silence, which is not sent
    if (n % 100 < 50)
      b.hear({8, n % 100 == 0, number++, n * 160, 2}, voice);
    world.run_for(20ms);
  }
  ASSERT_EQ(c.sent.size(), 249u);
  for (size_t i = 1; i < c.sent.size(); ++i)
    EXPECT_EQ(c.sent[i].marker, (i + 1) % 50 == 0) << i;
  expect_continuous(c.sent, 0ms);
}

TEST(rtp_relay, goes_on_after_hold_and_is_not_disturbed_by_a_reoffer) {
  chain x;
  x.join();
  x.world.run_for(5s);
  auto how = party::usual();
  how.send = {{97, pcma}};
  x.c.connect(how); // as a session timer has it
  x.world.run_for(5s);
  EXPECT_EQ(std::ranges::count_if(x.c.sent, [](auto& p) { return p.marker; }), 1);
  const auto before = x.c.sent.size();
  how.sends = false;
  x.c.connect(how);
  x.world.run_for(5s);
  EXPECT_EQ(x.c.sent.size(), before);
  how.sends = true;
  x.c.connect(how);
  x.world.run_for(5s);
  ASSERT_EQ(x.c.sent.size(), before + 250);
  EXPECT_TRUE(x.c.sent[before].marker);
  expect_continuous(x.c.sent, 0ms);
  EXPECT_EQ(x.d->outcome().received.lost, 0u);
}

TEST(rtp_relay, relays_nothing_in_another_mode_or_when_stopped) {
  chain x;
  x.b.join(&x.c);
  x.world.run_for(1s);
  EXPECT_EQ(x.c.sent.size(), 50u) << "what it plays";
  x.join();
  x.world.run_for(1s);
  x.c->stop(x.world.now, x.c);
  const auto sent = x.c.sent.size();
  x.world.run_for(1s);
  EXPECT_EQ(x.c.sent.size(), sent);
  EXPECT_GT(x.b.heard.size(), 140u);
}

TEST(rtp_relay, joins_another_source_without_a_seam) {
  chain x;
  party other{x.world, 0xe};
  party at{x.world, 0xf, stream_mode::listen};
  other.send_to(at);
  other.connect();
  at.connect();
  x.join();
  x.world.run_for(5s + 5ms);
  x.b.join(nullptr);
  at.join(&x.c);
  x.c->set_mode(stream_mode::relay, x.world.now);
  x.world.run_for(5s);
  expect_continuous(x.c.sent, 20ms);
  EXPECT_EQ(std::ranges::count_if(x.c.sent, [](auto& p) { return p.marker; }), 2);
  EXPECT_EQ(x.d->outcome().received.lost, 0u);
}

} // namespace
} // namespace jackfield::rtp
