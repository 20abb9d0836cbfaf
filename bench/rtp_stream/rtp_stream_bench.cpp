// What a packet costs beside its system call, and what a stream keeps. Thousands of streams take
// turns, so that state and payload come from where they lie in a loaded engine, not from the
// first-level cache.

#include <array>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/audio/g711.hpp"
#include "engine/audio/source.hpp"
#include "engine/audio/tone_detector.hpp"
#include "engine/rtp/mos.hpp"
#include "engine/rtp/rtcp_session.hpp"

namespace {

using namespace jackfield;
using namespace std::chrono_literals;

constexpr size_t packet_size = rtp::header_size + 160;

// One call's end, as a media stream would hold it.
struct stream {
  explicit stream(uint32_t ssrc)
      : out{{ssrc, static_cast<uint16_t>(ssrc * 7919), ssrc * 104729, 8}} {}
  rtp::sender out;
  rtp::receiver_statistics in;
  uint64_t frame = 0;
  std::array<std::byte, packet_size> wire{};
};

std::vector<stream> make_streams(benchmark::State& state) {
  std::vector<stream> out;
  for (uint32_t i = 0; i < static_cast<uint32_t>(state.range(0)); ++i)
    out.emplace_back(i);
  return out;
}

void send_packet(benchmark::State& state) {
  const auto source =
    *audio::encoded_source::make(audio::source_spec::tone(), audio::codec::pcma, 20ms);
  auto streams = make_streams(state);
  size_t i = 0;
  for (auto _ : state) {
    auto& s = streams[i];
    benchmark::DoNotOptimize(s.out.write(source->frame(s.frame++), 160, s.wire));
    i = i + 1 == streams.size() ? 0 : i + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(send_packet)->Arg(1)->Arg(2600)->Arg(5200);

// Both ends of a call in one process.
void send_and_receive_packet(benchmark::State& state) {
  const auto source =
    *audio::encoded_source::make(audio::source_spec::tone(), audio::codec::pcma, 20ms);
  auto streams = make_streams(state);
  size_t i = 0;
  rtp::time_point now{1s};
  for (auto _ : state) {
    auto& s = streams[i];
    const auto size = s.out.write(source->frame(s.frame++), 160, s.wire);
    const auto parsed = rtp::parse_packet(std::span{s.wire}.first(size));
    benchmark::DoNotOptimize(s.in.on_packet(*parsed, now + std::chrono::microseconds{i}));
    if (++i == streams.size()) {
      i = 0;
      now += 20ms;
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(send_and_receive_packet)->Arg(1)->Arg(2600)->Arg(5200);

// The second argument tells whether one packet in twenty is lost and neighbours are swapped.
void receive_packet(benchmark::State& state) {
  auto streams = make_streams(state);
  const std::array<std::byte, 160> payload{};
  for (auto& s : streams)
    static_cast<void>(s.out.write(payload, 160, s.wire));
  const bool lossy = state.range(1) != 0;
  size_t i = 0;
  uint32_t round = 0;
  rtp::time_point now{1s};
  for (auto _ : state) {
    auto& s = streams[i];
    // In place of a socket: the next packet's sequence and timestamp.
    const uint32_t n = lossy && round > 1 ? (round + round / 19) ^ 1 : round;
    rtp::write_header({8, false, static_cast<uint16_t>(n), n * 160, static_cast<uint32_t>(i)},
                      std::span{s.wire}.first<rtp::header_size>());
    const auto parsed = rtp::parse_packet(s.wire);
    benchmark::DoNotOptimize(
      s.in.on_packet(*parsed, now + std::chrono::microseconds{lossy ? i % 7000 : i}));
    if (++i == streams.size()) {
      i = 0;
      ++round;
      now += 20ms;
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["statistics_bytes"] = sizeof(rtp::receiver_statistics);
  state.counters["sender_bytes"] = sizeof(rtp::sender);
  state.counters["rtcp_bytes"] = sizeof(rtp::rtcp_session);
}
BENCHMARK(receive_packet)->Args({1, 0})->Args({2600, 0})->Args({5200, 0})->Args({2600, 1});

void judge_stream(benchmark::State& state) {
  rtp::receiver_statistics in;
  rtp::packet p;
  for (uint16_t n = 0; n < 1000; ++n) {
    p.sequence = n;
    p.timestamp = n * 160u;
    if (n % 20 != 3)
      in.on_packet(p, rtp::time_point{n * 20ms});
  }
  for (auto _ : state)
    benchmark::DoNotOptimize(rtp::judge(in.summary(), 10ms));
}
BENCHMARK(judge_stream);

void rtcp_report_and_parse(benchmark::State& state) {
  const rtp::ntp_clock clock{{}, std::chrono::system_clock::time_point{1'700'000'000s}};
  rtp::sender out{{1, 0, 0, 8}};
  rtp::receiver_statistics in;
  rtp::packet p;
  p.ssrc = 2;
  for (uint16_t n = 0; n < 10; ++n) {
    p.sequence = n;
    in.on_packet(p, rtp::time_point{n * 20ms});
  }
  rtp::rtcp_session here{1, "jackfield", clock};
  rtp::rtcp_session there{2, "jackfield", clock};
  std::array<std::byte, rtp::rtcp_session::max_size> buffer{};
  rtp::time_point now{1s};
  for (auto _ : state) {
    const auto size = here.report(out, in, 0, now, buffer);
    there.on_datagram(std::span{buffer}.first(size), now);
    now += 5s;
  }
}
BENCHMARK(rtcp_report_and_parse);

void decode_and_detect_frame(benchmark::State& state) {
  const auto source =
    *audio::encoded_source::make(audio::source_spec::tone(), audio::codec::pcma, 20ms);
  audio::tone_detector detector{880};
  std::array<int16_t, 160> samples{};
  uint64_t frame = 0;
  for (auto _ : state) {
    audio::decode(audio::codec::pcma, source->frame(frame++), samples);
    benchmark::DoNotOptimize(detector.on_frame(samples));
  }
}
BENCHMARK(decode_and_detect_frame);

void encode_frame(benchmark::State& state) {
  std::array<int16_t, 160> samples{};
  for (size_t n = 0; n < samples.size(); ++n)
    samples[n] = static_cast<int16_t>(n * 400);
  std::array<std::byte, 160> out{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(audio::encode(audio::codec::pcmu, samples, out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encode_frame);

} // namespace
