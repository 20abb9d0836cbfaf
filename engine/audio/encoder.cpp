#include "engine/audio/encoder.hpp"

#include "engine/audio/g711_encoder.hpp"
#include "engine/audio/g722_encoder.hpp"
#include "engine/audio/opus_encoder.hpp"

namespace jackfield::audio {

result<std::unique_ptr<encoder>> encoder::make(codec c, std::chrono::milliseconds packet_time,
                                               const opus_settings& settings) {
  if (auto good = check_packet_time(c, packet_time); !good)
    return tl::unexpected(good.error());
  const auto samples = samples_in(c, packet_time);
  switch (c) {
  case codec::pcmu:
  case codec::pcma:
    return std::make_unique<g711_encoder>(c, samples);
  case codec::g722:
    return std::make_unique<g722_encoder>(samples);
  case codec::opus:
    break;
  }
  if (auto good = check(settings); !good)
    return tl::unexpected(good.error());
  return std::make_unique<opus_encoder>(samples, settings);
}

} // namespace jackfield::audio
