#include "engine/audio/opus_decoder.hpp"

#include <algorithm>
#include <new>

#include <opus.h>

#include "engine/audio/opus_toc.hpp"

namespace jackfield::audio {
namespace {

// 2.5 ms: the decoder conceals only multiples of it.
constexpr size_t least_samples = 120;

const unsigned char* bytes_of(std::span<const std::byte> payload) noexcept {
  return reinterpret_cast<const unsigned char*>(payload.data());
}

} // namespace

void opus_decoder::destroy::operator()(OpusDecoder* state) const noexcept {
  opus_decoder_destroy(state);
}

opus_decoder::opus_decoder() {
  int error = OPUS_OK;
  state_.reset(opus_decoder_create(48'000, 1, &error));
  if (!state_)
    throw std::bad_alloc{};
}

tl::expected<decoder::samples, payload_fault>
opus_decoder::decode(std::span<const std::byte> payload) noexcept {
  if (payload.empty())
    return tl::unexpected(payload_fault::empty);
  // More than 48 frames of the longest size are no packet (RFC 6716 §3.2.1, §3.2.5), and the
  // library takes its length as an int.
  constexpr size_t most_bytes = size_t{48} * 1275 + 2 * 48 + 2;
  if (payload.size() > most_bytes)
    return tl::unexpected(payload_fault::too_long);
  if (!opus_toc::read(payload))
    return tl::unexpected(payload_fault::malformed);
  const auto count =
    opus_decode(state_.get(), bytes_of(payload), static_cast<opus_int32>(payload.size()),
                out_.data(), static_cast<int>(out_.size()), 0);
  if (count <= 0)
    return tl::unexpected(payload_fault::malformed);
  return std::span{out_}.first(static_cast<size_t>(count));
}

decoder::samples opus_decoder::conceal(std::chrono::microseconds missing) noexcept {
  return fill({}, missing);
}

decoder::samples opus_decoder::decode_fec(std::span<const std::byte> next,
                                          std::chrono::microseconds missing) noexcept {
  constexpr size_t most_bytes = 1500;
  return fill(next.size() <= most_bytes && opus_toc::read(next) ? next
                                                                : std::span<const std::byte>{},
              missing);
}

// Without a packet, or with one that has no FEC, the decoder conceals.
decoder::samples opus_decoder::fill(std::span<const std::byte> next,
                                    std::chrono::microseconds missing) noexcept {
  const auto bounded =
    std::clamp<std::chrono::microseconds>(missing, std::chrono::microseconds{2500}, longest_packet);
  const auto wanted = samples_in(codec::opus, bounded) / least_samples * least_samples;
  auto count = opus_decode(state_.get(), next.empty() ? nullptr : bytes_of(next),
                           static_cast<opus_int32>(next.size()), out_.data(),
                           static_cast<int>(wanted), next.empty() ? 0 : 1);
  if (count < 0 && !next.empty()) // a packet that is broken further in
    count = opus_decode(state_.get(), nullptr, 0, out_.data(), static_cast<int>(wanted), 0);
  const auto out = std::span{out_}.first(wanted);
  std::ranges::fill(out.subspan(static_cast<size_t>(std::max(count, 0))), int16_t{0});
  return out;
}

} // namespace jackfield::audio
