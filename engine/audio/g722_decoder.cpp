#include "engine/audio/g722_decoder.hpp"

#include <algorithm>
#include <new>

namespace jackfield::audio {

g722_decoder::g722_decoder()
    : state_(g722_decode_init(nullptr, g722_bitrate, 0)),
      concealment_(traits_of(codec::g722).sample_rate) {
  if (!state_)
    throw std::bad_alloc{};
}

tl::expected<decoder::samples, payload_fault>
g722_decoder::decode(std::span<const std::byte> payload) noexcept {
  if (payload.empty())
    return tl::unexpected(payload_fault::empty);
  if (payload.size() > out_.size() / 2)
    return tl::unexpected(payload_fault::too_long);
  const auto count =
    g722_decode(state_.get(), out_.data(), reinterpret_cast<const uint8_t*>(payload.data()),
                static_cast<int>(payload.size()));
  const auto heard = std::span{out_}.first(static_cast<size_t>(count));
  concealment_.heard(heard);
  return heard;
}

decoder::samples g722_decoder::conceal(std::chrono::microseconds missing) noexcept {
  const auto bounded =
    std::clamp<std::chrono::microseconds>(missing, std::chrono::microseconds{2500}, longest_packet);
  const auto out = std::span{out_}.first(samples_in(codec::g722, bounded));
  concealment_.fill(out);
  return out;
}

} // namespace jackfield::audio
