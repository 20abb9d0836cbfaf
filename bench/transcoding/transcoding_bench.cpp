// What a packet costs one direction of a join between two codecs: kept in the jitter buffer,
// decoded, resampled and encoded. A hundred take turns, as they do on a lane.

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "actors/media/transcoding.hpp"
#include "engine/audio/source.hpp"

namespace {

using namespace jackfield;
using namespace std::chrono_literals;
using audio::codec;

constexpr size_t directions = 100;

void transcode_packet(benchmark::State& state, codec from, codec to) {
  const auto source = *audio::encoded_source::make(audio::source_spec::tone(), from, 20ms);
  std::vector<std::unique_ptr<transcoding>> all;
  while (all.size() < directions)
    all.push_back(*transcoding::make({from, to, 20ms}, {}));
  rtp::packet packet;
  packet.ssrc = 1;
  rtp::time_point now{1s};
  size_t i = 0;
  for (auto _ : state) {
    packet.payload = source->frame(packet.sequence);
    all[i]->on_heard({packet, rtp::heard_packet::content::audio, static_cast<uint8_t>(from), now});
    benchmark::DoNotOptimize(all[i]->next_frame(now));
    if (++i < directions)
      continue;
    i = 0;
    ++packet.sequence;
    packet.timestamp += audio::timestamp_step(from, 20ms);
    now += 20ms;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(transcode_packet, pcmu_to_pcma, codec::pcmu, codec::pcma);
BENCHMARK_CAPTURE(transcode_packet, opus_to_pcmu, codec::opus, codec::pcmu);
BENCHMARK_CAPTURE(transcode_packet, pcmu_to_opus, codec::pcmu, codec::opus);
BENCHMARK_CAPTURE(transcode_packet, g722_to_pcma, codec::g722, codec::pcma);
BENCHMARK_CAPTURE(transcode_packet, pcma_to_g722, codec::pcma, codec::g722);

} // namespace
