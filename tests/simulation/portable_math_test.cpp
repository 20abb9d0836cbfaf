#include "engine/simulation/portable_math.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace jackfield::simulation {
namespace {

TEST(portable_math, is_as_exact_as_the_library) {
  for (double x = 1e-310; x < 1e300; x *= 1.37)
    EXPECT_NEAR(portable_log(x) / std::log(x), 1, 1e-15) << x;
  for (double x = 1e-15; x < 1; x *= 1.7)
    EXPECT_NEAR(portable_log(1 + x) / std::log(1 + x), 1, 1e-15) << x;
  EXPECT_EQ(portable_log(1), 0);
  for (double x = -699; x < 699; x += 0.613)
    EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 4e-16) << x;
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(-1e300), 0);
  EXPECT_EQ(portable_exp(1e300), portable_exp(700));
  for (double x = 0.5; x < 12; x += 0.37)
    EXPECT_NEAR(portable_gamma(x) / std::tgamma(x), 1, 1e-13) << x;
}

TEST(portable_math, normal_quantile_turns_the_distribution_round) {
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
  EXPECT_NEAR(normal_quantile(1e-15), -7.941345326170998, 1e-12);
  for (double p = 0.001; p < 1; p += 0.0173)
    EXPECT_NEAR(std::erfc(-normal_quantile(p) / std::sqrt(2)) / 2, p, 1e-14);
}

// To the last bit: what differs elsewhere is no library's doing, but a compiler's that makes one
// operation of two.
TEST(portable_math, gives_these_bits) {
  EXPECT_EQ(portable_log(0.3), -0x1.34378fcbda721p+0);
  EXPECT_EQ(portable_exp(1.7), 0x1.5e552770df8a6p+2);
  EXPECT_EQ(normal_quantile(0.3), -0x1.0c7e39582c5fap-1);
}

} // namespace
} // namespace jackfield::simulation
