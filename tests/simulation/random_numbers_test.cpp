#include "engine/simulation/random_numbers.hpp"

#include <set>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

using words = std::array<uint32_t, 4>;

// kat_vectors of the authors' Random123.
TEST(philox, gives_its_authors_known_answers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(random_numbers, belong_to_seed_use_number_and_part) {
  std::set<uint64_t> seen;
  size_t made = 0;
  for (const uint64_t seed : {1U, 2U})
    for (const auto what : {draw::patience, draw::talk})
      for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32U})
        for (const uint32_t part : {0U, 1U}) {
          seen.insert(random_numbers{seed}.bits(what, number, part));
          ++made;
        }
  EXPECT_EQ(seen.size(), made) << "two uses share a number";
  EXPECT_EQ(random_numbers{7}.bits(draw::talk, 5, 3), random_numbers{7}.bits(draw::talk, 5, 3));
}

TEST(random_numbers, are_uniform_and_never_0_or_1) {
  const random_numbers random{1};
  constexpr int count = 100'000;
  std::array<int, 10> tenths{};
  double sum = 0;
  double pairs = 0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform(draw::talk, static_cast<uint64_t>(i));
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    ++tenths[static_cast<size_t>(u * 10)];
    sum += u;
    pairs += u * random.uniform(draw::patience, static_cast<uint64_t>(i));
  }
  // Five standard deviations.
  EXPECT_NEAR(sum / count, 0.5, 0.0046);
  EXPECT_NEAR(pairs / count, 0.25, 0.0035) << "two uses hang together";
  for (const int each : tenths)
    EXPECT_NEAR(each, count / 10, 475);
}

} // namespace
} // namespace jackfield::simulation
