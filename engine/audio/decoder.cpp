#include "engine/audio/decoder.hpp"

#include "engine/audio/g711_decoder.hpp"
#include "engine/audio/g722_decoder.hpp"
#include "engine/audio/opus_decoder.hpp"

namespace jackfield::audio {

std::string_view to_string(payload_fault f) noexcept {
  switch (f) {
  case payload_fault::empty:
    return "empty";
  case payload_fault::too_long:
    return "too long";
  case payload_fault::malformed:
    return "malformed";
  }
  return "";
}

std::unique_ptr<decoder> decoder::make(codec c) {
  if (c == codec::opus)
    return std::make_unique<opus_decoder>();
  if (c == codec::g722)
    return std::make_unique<g722_decoder>();
  return std::make_unique<g711_decoder>(c);
}

decoder::samples decoder::decode_fec(std::span<const std::byte> /*next*/,
                                     std::chrono::microseconds missing) noexcept {
  return conceal(missing);
}

} // namespace jackfield::audio
