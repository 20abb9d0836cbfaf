// What a second of a recorded call costs: two legs decoded, put in time, and encoded as one stereo
// file. A hundred take turns, as they do on the pool.

#include <chrono>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/audio/source.hpp"
#include "engine/recording/two_leg_recording.hpp"

namespace {

using namespace jackfield;
using namespace std::chrono_literals;
using audio::codec;
using recording::leg;

constexpr size_t calls = 100;

void record_second(benchmark::State& state, codec caller, codec agent) {
  const std::array codecs{caller, agent};
  const auto tone = [](codec c) {
    return *audio::encoded_source::make(audio::source_spec::tone(), c, 20ms);
  };
  const std::array sources{tone(caller), tone(agent)};
  std::vector<std::unique_ptr<recording::two_leg_recording>> all;
  while (all.size() < calls)
    all.push_back(std::make_unique<recording::two_leg_recording>(1, std::vector<std::string>{}));
  size_t i = 0;
  uint64_t second = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    for (uint64_t frame = second * 50; frame < (second + 1) * 50; ++frame) {
      for (const auto of : {leg::caller, leg::agent}) {
        const auto which = static_cast<size_t>(of);
        const auto payload = sources[which]->frame(frame);
        all[i]->add(of, {frame * 20ms,
                         1,
                         static_cast<uint32_t>(frame) * audio::timestamp_step(codecs[which], 20ms),
                         codecs[which],
                         false,
                         {payload.begin(), payload.end()}});
      }
      if (frame % 10 == 9) // as it is told on a lane
        all[i]->pass_to(frame * 20ms);
    }
    bytes += all[i]->take_pages().size();
    if (++i < calls)
      continue;
    i = 0;
    ++second;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes/s"] =
    benchmark::Counter(static_cast<double>(bytes) / static_cast<double>(state.iterations()));
}
BENCHMARK_CAPTURE(record_second, pcmu_pcmu, codec::pcmu, codec::pcmu);
BENCHMARK_CAPTURE(record_second, pcmu_opus, codec::pcmu, codec::opus);
BENCHMARK_CAPTURE(record_second, opus_opus, codec::opus, codec::opus);

} // namespace
