#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "engine/audio/decoder.hpp"
#include "engine/audio/opus_repetition.hpp"
#include "engine/audio/opus_toc.hpp"

// The input is a byte that names the codec and a series of payloads: a byte of what is done with
// each, two of its length, and the payload.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackfield::audio;
  if (size == 0)
    return 0;
  const auto c = static_cast<codec>(data[0] % 4);
  const auto most = samples_in(c, longest_packet);
  const auto in = decoder::make(c);
  auto rest = std::span{data, size}.subspan(1);
  while (rest.size() >= 3) {
    const auto what = rest[0];
    const auto length = std::min<size_t>(rest[1] << 8U | rest[2], rest.size() - 3);
    const auto payload = std::as_bytes(rest.subspan(3, length));
    const std::chrono::milliseconds missing{what >> 1U};
    size_t count = 0;
    if (what % 2 == 0) {
      if (const auto samples = in->decode(payload))
        count = samples->size();
      else
        count = in->conceal(missing).size();
    } else {
      count = in->decode_fec(payload, missing).size();
    }
    if (count == 0 || count > most)
      std::abort();
    if (const auto units = opus_repetition(payload);
        units != 0 && units != opus_toc::read(payload)->duration())
      std::abort();
    rest = rest.subspan(3 + length);
  }
  return 0;
}
