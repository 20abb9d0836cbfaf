#include "engine/audio/g711_decoder.hpp"

#include <algorithm>

#include "engine/audio/g711.hpp"

namespace jackfield::audio {

g711_decoder::g711_decoder(codec c) : concealment_(traits_of(c).sample_rate), codec_(c) {}

tl::expected<decoder::samples, payload_fault>
g711_decoder::decode(std::span<const std::byte> payload) noexcept {
  if (payload.empty())
    return tl::unexpected(payload_fault::empty);
  if (payload.size() > out_.size())
    return tl::unexpected(payload_fault::too_long);
  const auto heard = std::span{out_}.first(audio::decode(codec_, payload, out_));
  concealment_.heard(heard);
  return heard;
}

decoder::samples g711_decoder::conceal(std::chrono::microseconds missing) noexcept {
  const auto bounded =
    std::clamp<std::chrono::microseconds>(missing, std::chrono::microseconds{2500}, longest_packet);
  const auto out = std::span{out_}.first(samples_in(codec_, bounded));
  concealment_.fill(out);
  return out;
}

} // namespace jackfield::audio
