#include "engine/simulation/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "engine/simulation/random_numbers.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

double seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}

struct moments {
  double mean = 0;
  double variation = 0; // standard deviation / mean
};

moments moments_of(const distribution& d, int count = 200'000) {
  const random_numbers random{1};
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double x = seconds(d.at(random.uniform(draw::talk, static_cast<uint64_t>(i))));
    sum += x;
    squares += x * x;
  }
  const double mean = sum / count;
  return {mean, std::sqrt(squares / count - mean * mean) / mean};
}

/// Five standard deviations of the mean of 200,000 are 1.1 % of it, where the variation is 1.
TEST(distribution, has_the_moments_that_it_says) {
  const auto exponential = moments_of(distribution::exponential(180s));
  EXPECT_NEAR(exponential.mean, 180, 2);
  EXPECT_NEAR(exponential.variation, 1, 0.02);
  const auto lognormal = moments_of(distribution::lognormal(180s, 0.7));
  EXPECT_NEAR(lognormal.mean, 180, 1.5);
  EXPECT_NEAR(lognormal.variation, 0.7, 0.02);
  const auto weibull = moments_of(distribution::weibull(180s, 2));
  EXPECT_NEAR(weibull.mean, 180, 1.1);
  EXPECT_NEAR(weibull.variation, 0.5227, 0.01);
  const auto long_tailed = moments_of(distribution::weibull(180s, 0.5));
  EXPECT_NEAR(long_tailed.mean, 180, 4.5);
  EXPECT_NEAR(long_tailed.variation, 2.2361, 0.1);
  const auto empirical = moments_of(distribution::empirical({10s, 20s, 60s}));
  EXPECT_NEAR(empirical.mean, 30, 0.3);
  EXPECT_NEAR(empirical.variation, 0.72, 0.01);
}

TEST(distribution, turns_a_share_into_what_lies_below_it) {
  EXPECT_EQ(distribution::constant(30s).at(0.999), 30s);
  EXPECT_EQ(distribution{}.at(0.5), 0s);
  EXPECT_NEAR(seconds(distribution::exponential(100s).at(0.5)), 69.3147, 1e-4);
  EXPECT_NEAR(seconds(distribution::weibull(100s, 1).at(0.5)), 69.3147, 1e-4);
  // The median is mean / sqrt(1 + cv^2).
  EXPECT_NEAR(seconds(distribution::lognormal(100s, 1).at(0.5)), 70.7107, 1e-4);
  const auto three = distribution::empirical({30s, 10s, 20s});
  EXPECT_EQ(three.at(0.1), 10s);
  EXPECT_EQ(three.at(0.5), 20s);
  EXPECT_EQ(three.at(1 - 1e-16), 30s);
  // Whole microseconds, never beyond the bound.
  EXPECT_EQ(distribution::exponential(1s).at(0.123) % 1us, 0ns);
  EXPECT_EQ(distribution::lognormal(distribution::longest, 20).at(1 - 1e-16),
            distribution::longest);
}

TEST(distribution, is_the_same_at_another_mean) {
  for (const auto& d : {distribution::exponential(180s), distribution::lognormal(180s, 0.7),
                        distribution::weibull(180s, 1.5), distribution::constant(180s),
                        distribution::empirical({90s, 270s})}) {
    const auto half = d.with_mean(90s);
    EXPECT_EQ(half.mean(), 90s) << d.to_string();
    for (const double u : {0.1, 0.5, 0.9})
      EXPECT_NEAR(seconds(half.at(u)), seconds(d.at(u)) / 2, 1e-5) << d.to_string();
  }
}

TEST(distribution, is_read) {
  const auto text = [](std::string_view s,
                       distribution::kind plain = distribution::kind::constant) {
    const auto d = distribution::parse("--aht", s, plain);
    return d ? d->to_string() : d.error().to_string();
  };
  EXPECT_EQ(text("180"), "180s");
  EXPECT_EQ(text("3m"), "180s");
  EXPECT_EQ(text("180", distribution::kind::exponential), "exp:180s");
  EXPECT_EQ(text("constant:2.5s", distribution::kind::exponential), "2.5s");
  EXPECT_EQ(text("exp:1m"), "exp:60s");
  EXPECT_EQ(text("lognormal:180s:0.8"), "lognormal:180s:0.8");
  EXPECT_EQ(text("weibull:180:1.5"), "weibull:180s:1.5");
  EXPECT_EQ(text("exp:0"), "--aht: \"exp:0\" has no mean, expected more than 0 s, at most a year");
  EXPECT_EQ(text("lognormal:180s:0"),
            "--aht: \"0\" is no coefficient of variation, expected 0.01 to 20");
  EXPECT_EQ(text("weibull:180s:1e3"), "--aht: \"1e3\" is no shape, expected 0.1 to 100");
  constexpr auto grammar = "expected 180s, exp:180s, lognormal:180s:CV, weibull:180s:SHAPE or "
                           "file:PATH";
  for (const auto* wrong : {"gamma:180s", "lognormal:180s", "exp:180s:2", ":"})
    EXPECT_NE(text(wrong).find(grammar), std::string::npos) << text(wrong);
  for (const auto* wrong : {"", "x", "-3", "exp:", "exp:-180", "lognormal:x:1", "exp:1e400"})
    EXPECT_NE(text(wrong).find("is no duration"), std::string::npos) << text(wrong);
  EXPECT_EQ(text("file:/nowhere").substr(0, 34), "--aht: \"/nowhere\" cannot be read, ");
}

TEST(distribution, is_read_from_a_file) {
  const auto path =
    std::filesystem::temp_directory_path() / ("lengths-" + std::to_string(getpid()));
  const auto read = [&](std::string_view text) {
    std::ofstream{path} << text;
    auto d = distribution::parse("--aht", "file:" + path.string());
    std::filesystem::remove(path);
    return d;
  };
  const auto three = read("# lengths\n10\n\n 20s # two\r\n1m\n");
  ASSERT_TRUE(three) << three.error().to_string();
  EXPECT_EQ(three->mean(), 30s);
  EXPECT_EQ(three->to_string(), "empirical of 3 values");
  EXPECT_EQ(read("10\nten\n").error().place, path.string() + ":2");
  EXPECT_EQ(read("# nothing\n").error().cause, "has no values, expected a length a line");
}

} // namespace
} // namespace jackfield::simulation
