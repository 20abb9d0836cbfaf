#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace jackfield::sip {

/// The first `a` or `b` in [at, end), or `end`. Reads nothing outside. Lines and values of SIP are
/// a few dozen octets, where a call into the C library costs more than the search.
[[nodiscard]] inline const char* find_either(const char* at, const char* end, char a,
                                             char b) noexcept {
#ifdef __SSE2__
  const auto wanted_a = _mm_set1_epi8(a);
  const auto wanted_b = _mm_set1_epi8(b);
  constexpr std::ptrdiff_t step = sizeof(__m128i);
  while (end - at >= step) {
    __m128i block;
    std::memcpy(&block, at, sizeof block);
    auto hits = static_cast<uint32_t>(_mm_movemask_epi8(
      _mm_or_si128(_mm_cmpeq_epi8(block, wanted_a), _mm_cmpeq_epi8(block, wanted_b))));
    if (hits != 0)
      return at + std::countr_zero(hits);
    at += step;
  }
#endif
  while (at != end && *at != a && *at != b)
    ++at;
  return at;
}

[[nodiscard]] inline const char* find_one(const char* at, const char* end, char c) noexcept {
  return find_either(at, end, c, c);
}

[[nodiscard]] inline bool has_line_break(std::string_view text) noexcept {
  const char* end = text.data() + text.size();
  return find_either(text.data(), end, '\r', '\n') != end;
}

} // namespace jackfield::sip
