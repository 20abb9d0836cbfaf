#include "tests/relay/path/options.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

result<relay_options> parsed(std::vector<const char*> more) {
  std::vector<const char*> all{"--listen", "127.0.0.1:5070", "--target=127.0.0.1:5060"};
  all.insert(all.end(), more.begin(), more.end());
  return parse_options(all);
}

std::string refusal(const std::vector<const char*>& more) {
  auto got = parsed(more);
  return got ? "accepted" : got.error().to_string();
}

TEST(relay_options, are_read) {
  auto got = parsed({"--seed", "7", "--loss", "0.05", "--burst", "3", "--delay-ms", "40",
                     "--jitter-ms=20", "--duplicate", "0.01", "--reorder", "0.02", "--mtu", "1500",
                     "--loss-from-ms", "2000", "--loss-for-ms", "10000"});
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->listen.to_string(), "127.0.0.1:5070");
  EXPECT_EQ(got->target.to_string(), "127.0.0.1:5060");
  EXPECT_EQ(got->path.seed, 7u);
  EXPECT_EQ(got->path.loss, 0.05);
  EXPECT_EQ(got->path.burst, 3);
  EXPECT_EQ(got->path.delay, 40ms);
  EXPECT_EQ(got->path.jitter, 20ms);
  EXPECT_EQ(got->path.duplicate, 0.01);
  EXPECT_EQ(got->path.reorder, 0.02);
  EXPECT_EQ(got->path.mtu, 1500u);
  EXPECT_EQ(got->loss_from, 2s);
  EXPECT_EQ(got->loss_for, 10s);
  EXPECT_EQ(parsed({})->loss_for, std::nullopt);
}

TEST(relay_options, wrong_ones_are_named) {
  const std::string address = " is not an address like 127.0.0.1:5060 or [::1]:5060";
  EXPECT_EQ(refusal({"--rate", "1"}), "--rate: no such option, see --help");
  EXPECT_EQ(refusal({"stray"}), "stray: no such option, see --help");
  EXPECT_EQ(refusal({"--loss"}), "--loss: \"\" is not a share from 0 to 1");
  for (const char* value : {"1.5", "-0.1", "nan", "inf", "5%", "0.1 "}) {
    EXPECT_EQ(refusal({"--loss", value}),
              "--loss: \"" + std::string(value) + "\" is not a share from 0 to 1");
  }
  EXPECT_EQ(refusal({"--seed", "-1"}), "--seed: \"-1\" is not a whole number");
  EXPECT_EQ(refusal({"--burst", "0.5"}),
            "--burst: \"0.5\" is not a mean run of losses from 1 to 10000");
  EXPECT_EQ(refusal({"--delay-ms", "60001"}),
            "--delay-ms: \"60001\" is not milliseconds from 0 to 60000");
  EXPECT_EQ(refusal({"--mtu", "0"}), "--mtu: \"0\" is not bytes from 1 to 65535");
  for (const char* value :
       {"localhost:1", "127.0.0.1", "127.0.0.1:65536", "::1:5060", "[]:1", ":1", ""}) {
    EXPECT_EQ(refusal({"--target", value}), "--target: \"" + std::string(value) + "\"" + address);
  }
  EXPECT_EQ(refusal({"--target", "127.0.0.1:0"}),
            "--target: \"127.0.0.1:0\" is not an address with a port above 0");
}

TEST(relay_options, must_fit_each_other) {
  EXPECT_EQ(refusal({"--delay-ms", "10", "--jitter-ms", "20"}),
            "--jitter-ms: larger than --delay-ms, which it varies");
  EXPECT_EQ(refusal({"--loss", "0.9", "--burst", "3"}),
            "--burst: runs this short cannot make up that --loss, expected longer ones");
  EXPECT_EQ(refusal({"--loss", "0.75", "--burst", "3"}), "accepted");
  EXPECT_EQ(refusal({"--target", "[::1]:5060"}),
            "--target: not of the same IP version as --listen");
  EXPECT_EQ(parse_options({}).error().place, "--listen");
  const std::vector<const char*> alone{"--listen", "[::1]:0"};
  EXPECT_EQ(parse_options(alone).error().place, "--target");
}

TEST(relay_options, help_needs_nothing_else) {
  const std::vector<const char*> help{"--help"};
  EXPECT_TRUE(parse_options(help)->help);
  EXPECT_NE(usage().find("--jitter-ms"), std::string_view::npos);
}

} // namespace
} // namespace jackfield::tests
