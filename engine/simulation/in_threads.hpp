#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace jackfield::simulation {

/// Calls `work(i)` for each i below `count`, in as many threads as there are, this one among them.
template <class Work>
void in_threads(unsigned threads, uint32_t count, Work&& work) {
  std::atomic<uint32_t> next{0};
  const auto take = [&] {
    for (uint32_t i = next++; i < count; i = next++)
      work(i);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < std::min<unsigned>(threads, count); ++i)
    others.emplace_back(take);
  take();
  for (auto& each : others)
    each.join();
}

} // namespace jackfield::simulation
