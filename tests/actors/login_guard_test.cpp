#include "actors/node/login_guard.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace jackfield {
namespace {

using namespace std::chrono_literals;

lane::endpoint at(const std::string& address, uint16_t port = 5060) {
  return *lane::endpoint::parse(address, port);
}

class sec_28_login_guard : public testing::Test {
protected:
  /// How many it took until `from` was banned; 0: it was not.
  unsigned fail(const lane::endpoint& from, unsigned times, lane::duration each = 1ms) {
    for (unsigned i = 1; i <= times; ++i) {
      if (guard_.on_failure(from, now_))
        return i;
      now_ += each;
    }
    return 0;
  }

  login_guard guard_{{.most_failures = 5, .within = 1min, .rest = 5min, .most_addresses = 64}};
  lane::time_point now_{1h};
};

TEST_F(sec_28_login_guard, who_guesses_is_not_heard_for_a_while) {
  const auto guesser = at("192.0.2.1");
  EXPECT_FALSE(guard_.is_banned(guesser, now_));
  EXPECT_EQ(fail(guesser, 9), 5u);
  EXPECT_TRUE(guard_.is_banned(guesser, now_));
  EXPECT_TRUE(guard_.is_banned(at("192.0.2.1", 1024), now_)) << "from whatever port";
  EXPECT_TRUE(guard_.is_banned(at("::ffff:192.0.2.1"), now_)) << "however it is written";
  EXPECT_FALSE(guard_.is_banned(at("192.0.2.2"), now_));
  EXPECT_TRUE(guard_.is_banned(guesser, now_ + 5min - 1ms));
  EXPECT_FALSE(guard_.is_banned(guesser, now_ + 5min));
  now_ += 5min;
  EXPECT_EQ(fail(guesser, 9), 5u) << "it begins anew";
  EXPECT_EQ(guard_.bans(), 2u);
}

TEST_F(sec_28_login_guard, a_phone_that_tries_now_and_then_is_heard) {
  EXPECT_EQ(fail(at("192.0.2.1"), 1'000, 16s), 0u);
}

TEST_F(sec_28_login_guard, a_right_password_begins_anew) {
  const auto site = at("192.0.2.1");
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(fail(site, 4), 0u);
    guard_.on_success(site);
  }
}

TEST_F(sec_28_login_guard, addresses_of_one_network_are_one) {
  for (unsigned i = 1; i < 5; ++i)
    EXPECT_FALSE(guard_.on_failure(at("2001:db8:1:2::" + std::to_string(i)), now_));
  EXPECT_TRUE(guard_.on_failure(at("2001:db8:1:2:ffff::1"), now_));
  EXPECT_TRUE(guard_.is_banned(at("2001:db8:1:2::99"), now_));
  EXPECT_FALSE(guard_.is_banned(at("2001:db8:1:3::1"), now_));
}

TEST_F(sec_28_login_guard, who_is_on_this_machine_is_let_off) {
  EXPECT_EQ(fail(at("127.0.0.1"), 100), 0u);
  EXPECT_EQ(fail(at("::1"), 100), 0u);
  EXPECT_EQ(guard_.size(), 0u);
}

TEST_F(sec_28_login_guard, it_knows_so_many_at_most) {
  const auto guesser = at("198.51.100.1");
  ASSERT_EQ(fail(guesser, 5), 5u);
  for (unsigned i = 0; i < 10'000; ++i) {
    now_ += 1ms;
    (void)guard_.on_failure(at("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)),
                            now_);
    EXPECT_LE(guard_.size(), 64u);
  }
  now_ += 2min;
  (void)guard_.on_failure(at("192.0.2.9"), now_);
  EXPECT_LE(guard_.size(), 64u);
}

} // namespace
} // namespace jackfield
