#include "engine/audio/opus_settings.hpp"

#include <string>

namespace jackfield::audio {

result<void> check(const opus_settings& settings) {
  if (settings.bitrate < 6000 || settings.bitrate > 510'000)
    return fail("opus bitrate", std::to_string(settings.bitrate) + ", expected 6000 to 510000");
  if (settings.complexity > 10)
    return fail("opus complexity", std::to_string(settings.complexity) + ", expected 0 to 10");
  if (settings.expected_loss_percent > 100)
    return fail("opus expected loss",
                std::to_string(settings.expected_loss_percent) + " %, expected 0 to 100");
  return {};
}

} // namespace jackfield::audio
