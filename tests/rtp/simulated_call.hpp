#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/rtp/stream.hpp"
#include "engine/rtp/telephone_event.hpp"

namespace jackfield::rtp {

using namespace std::chrono_literals;

/// What a network does to RTP, but to the first packets of a source: how those are accepted is
/// tested elsewhere. RTCP is only delayed, so that what it says can be foretold.
struct faults {
  duration delay = 20ms;
  duration jitter{}; ///< up to this much more, without overtaking
  double loss = 0;
  double duplicate = 0;
  double reorder = 0; ///< share of packets that come 30 ms later than their turn
};

inline constexpr uint8_t pcmu = 0, pcma = 1; // codecs, as an owner would number them
inline constexpr time_point start{100s};

/// Time, and what is on its way.
class simulation {
public:
  explicit simulation(uint32_t seed = 1) : random(seed) {}

  bool chance(double p) { return std::uniform_real_distribution{}(random) < p; }
  std::mt19937 random;
  time_point now = start;
  std::multimap<time_point, std::pair<class party*, std::vector<std::byte>>> under_way;
  std::vector<class party*> parties;

  void run_until(time_point end);
  void run_for(duration d) { run_until(now + d); }
};

/// One end of a call: a stream and what it said and heard.
class party final : public stream_host {
public:
  struct sent_packet : header {
    time_point at;
    std::vector<std::byte> payload;
  };

  party(simulation& world, uint32_t ssrc, stream_mode mode = stream_mode::play)
      : world_(world), stream_({.ssrc = ssrc,
                                .first_sequence = static_cast<uint16_t>(ssrc * 7919 - 60),
                                .first_timestamp = ssrc * 104'729'001,
                                .cname = "party",
                                .clock = ntp_clock{start, wall}},
                               mode) {
    world.parties.push_back(this);
  }

  static stream_setup usual() {
    return {.send = {{8, pcma}, {0, pcmu}},
            .receive = {{8, pcma}, {0, pcmu}},
            .send_event_type = 101,
            .receive_event_type = 101};
  }
  void connect(const stream_setup& how = usual()) { stream_.connect(how, world_.now); }
  void send_to(party& other, const faults& way = {}) {
    peer_ = &other;
    way_ = way;
  }
  /// What this one hears goes out by `other`, another stream of the same engine.
  void join(party* other) { joined_ = other; }

  stream& operator*() noexcept { return stream_; }
  stream* operator->() noexcept { return &stream_; }

  /// Hands the stream a packet as if it had come now.
  void hear(const header& h, std::span<const std::byte> payload) {
    std::vector<std::byte> bytes(header_size + payload.size());
    write_header(h, std::span{bytes}.first<header_size>());
    std::copy(payload.begin(), payload.end(), bytes.begin() + header_size);
    stream_.on_datagram(bytes, world_.now, *this);
  }

  void send_rtp(std::span<const std::byte> bytes) override {
    const auto p = parse_packet(bytes);
    sent.push_back({*p, world_.now, {p->payload.begin(), p->payload.end()}});
    if (peer_ == nullptr)
      return;
    const bool spared = sent.size() <= 5;
    if (!spared && world_.chance(way_.loss)) {
      lost.push_back(p->sequence);
      return;
    }
    auto at = world_.now + way_.delay;
    if (way_.jitter > 0s)
      at += duration{
        std::uniform_int_distribution<duration::rep>{0, way_.jitter.count()}(world_.random)};
    // Only what is meant to be overtaken is.
    at = std::max(at, last_arrival_);
    if (!spared && world_.chance(way_.reorder)) {
      at += 30ms;
      ++held_back;
    } else {
      last_arrival_ = at;
    }
    deliver(bytes, at);
    if (!spared && world_.chance(way_.duplicate)) {
      ++duplicated;
      deliver(bytes, at + 1us);
    }
  }
  void send_rtcp(std::span<const std::byte> bytes) override {
    reports.push_back({world_.now, std::vector<std::byte>{bytes.begin(), bytes.end()}});
    if (peer_ != nullptr)
      deliver(bytes, world_.now + way_.delay);
  }
  std::span<const std::byte> next_frame() override {
    if (silent)
      return {};
    const auto tag = static_cast<uint32_t>(frames++);
    for (size_t i = 0; i < 4; ++i)
      frame_[i] = static_cast<std::byte>(tag >> (8 * i));
    return std::span{frame_}.first(frame_bytes);
  }
  void note_lateness(duration d) override { lateness.push_back(d); }
  void on_heard(const heard_packet& p) override {
    heard.push_back({p.what, p.arrived, {p.what.payload.begin(), p.what.payload.end()}});
    if (joined_ != nullptr)
      joined_->stream_.relay(p, *joined_);
  }
  void on_event_started(uint8_t event, time_point) override {
    events += std::string("<") + digit_of_event(event).value_or('?');
  }
  void on_event_ended(uint8_t, duration length, time_point) override {
    events += '>';
    lengths.push_back(length);
  }

  std::vector<sent_packet> sent;
  std::vector<sent_packet> heard;
  std::vector<std::pair<time_point, std::vector<std::byte>>> reports;
  std::vector<duration> lateness;
  std::vector<uint16_t> lost; // on the way from here
  uint64_t duplicated = 0;
  uint64_t held_back = 0;
  std::string events; // '<' digit at a start, '>' at an end
  std::vector<duration> lengths;
  uint64_t frames = 0;
  size_t frame_bytes = 160;
  bool silent = false;

private:
  static constexpr std::chrono::system_clock::time_point wall{1'700'000'000s};

  void deliver(std::span<const std::byte> bytes, time_point at) {
    world_.under_way.emplace(at,
                             std::pair{peer_, std::vector<std::byte>{bytes.begin(), bytes.end()}});
  }

  simulation& world_;
  stream stream_;
  party* peer_ = nullptr;
  party* joined_ = nullptr;
  faults way_;
  time_point last_arrival_{};
  std::array<std::byte, 1000> frame_{};
};

inline void simulation::run_until(time_point end) {
  for (;;) {
    auto next = under_way.empty() ? end : std::min(end, under_way.begin()->first);
    const bool arrives = next < end;
    party* due = nullptr;
    for (auto* p : parties) {
      if ((*p)->deadline() < next) {
        next = (*p)->deadline();
        due = p;
      }
    }
    now = std::max(now, next);
    if (due != nullptr) {
      (*due)->tick(now, *due);
    } else if (arrives) {
      const auto arriving = under_way.extract(under_way.begin());
      auto& [to, bytes] = arriving.mapped();
      (*to)->on_datagram(bytes, now, *to);
    } else {
      return; // what is due at `end` itself belongs to the next run
    }
  }
}

} // namespace jackfield::rtp
