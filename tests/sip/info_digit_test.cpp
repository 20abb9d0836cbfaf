#include "engine/sip/info_digit.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

TEST(info_digit, is_read_as_it_is_written) {
  for (const char digit : std::string_view{"0123456789*#ABCD"})
    EXPECT_EQ(read_info_digit(info_digit_type, info_digit_body(digit)), digit);
}

TEST(info_digit, is_read_as_others_write_it) {
  constexpr std::string_view relay = "Application/DTMF-Relay;charset=utf-8";
  EXPECT_EQ(read_info_digit(relay, "Signal= 5\r\nDuration= 250"), '5');
  EXPECT_EQ(read_info_digit(relay, "Duration=250\nsignal=d\n"), 'D');
  EXPECT_EQ(read_info_digit(relay, "Signal=10\r\n"), '*');
  EXPECT_EQ(read_info_digit(relay, "Signal=11\r\n"), '#');
  EXPECT_EQ(read_info_digit("application/dtmf", "7\r\n"), '7');
}

TEST(info_digit, is_none_where_there_is_no_digit) {
  for (const std::string_view body : {"", "Signal=", "Signal=E\r\n", "Signal=12\r\n", "5", "="})
    EXPECT_FALSE(read_info_digit(info_digit_type, body)) << body;
  EXPECT_FALSE(read_info_digit("application/dtmf", "55"));
  EXPECT_FALSE(read_info_digit("text/plain", "Signal=5\r\n"));
  EXPECT_FALSE(read_info_digit("", "5"));
}

} // namespace
} // namespace jackfield::sip
