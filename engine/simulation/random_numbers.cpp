#include "engine/simulation/random_numbers.hpp"

namespace jackfield::simulation {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                   std::array<uint32_t, 2> key) noexcept {
  constexpr uint64_t multiplier_0 = 0xD2511F53;
  constexpr uint64_t multiplier_1 = 0xCD9E8D57;
  constexpr uint32_t weyl_0 = 0x9E3779B9;
  constexpr uint32_t weyl_1 = 0xBB67AE85;
  constexpr int rounds = 10;
  constexpr unsigned half = 32;
  for (int i = 0; i < rounds; ++i) {
    const uint64_t a = multiplier_0 * counter[0];
    const uint64_t b = multiplier_1 * counter[2];
    counter = {static_cast<uint32_t>(b >> half) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> half) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key = {key[0] + weyl_0, key[1] + weyl_1};
  }
  return counter;
}

uint64_t random_numbers::bits(draw what, uint64_t number, uint32_t part) const noexcept {
  constexpr unsigned half = 32;
  const auto words =
    philox4x32({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> half), part,
                static_cast<uint32_t>(what)},
               {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> half)});
  return words[0] | uint64_t{words[1]} << half;
}

double random_numbers::uniform(draw what, uint64_t number, uint32_t part) const noexcept {
  // 52 bits, and a half beyond them: never 0, never 1.
  return (static_cast<double>(bits(what, number, part) >> 12U) + 0.5) * 0x1p-52;
}

} // namespace jackfield::simulation
