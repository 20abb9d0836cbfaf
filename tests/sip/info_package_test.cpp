#include "engine/sip/info_package.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

/// An INFO with these header lines.
struct info_with {
  explicit info_with(const std::string& lines)
      : text("INFO sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKi\r\n"
             "From: <sip:b@192.0.2.2>;tag=1\r\nTo: <sip:a@192.0.2.1>;tag=2\r\nCall-ID: i\r\n"
             "CSeq: 2 INFO\r\nMax-Forwards: 70\r\n" +
             lines + "Content-Length: 0\r\n\r\n") {
    EXPECT_EQ(m.parse(text), parse_verdict::good) << text;
  }
  std::string text;
  message m;
};

TEST(info_package, is_named_without_its_parameters) {
  EXPECT_EQ(info_package(info_with("").m), "");
  EXPECT_EQ(info_package(info_with("Info-Package: trickle-ice\r\n").m), "trickle-ice");
  EXPECT_EQ(info_package(info_with("info-package:  foo ;x=1\r\n").m), "foo");
}

TEST(info_package, is_taken_by_whom_any_recv_info_names_it) {
  EXPECT_FALSE(takes_info_package(info_with("").m, "trickle-ice"));
  EXPECT_FALSE(takes_info_package(info_with("Recv-Info:\r\n").m, "trickle-ice"));
  EXPECT_FALSE(takes_info_package(info_with("Recv-Info: trickle-ice2\r\n").m, "trickle-ice"));
  EXPECT_TRUE(
    takes_info_package(info_with("Recv-Info: a, Trickle-ICE;x=1 ,b\r\n").m, "trickle-ice"));
  EXPECT_TRUE(
    takes_info_package(info_with("Recv-Info: a\r\nRecv-Info: trickle-ice\r\n").m, "trickle-ice"));
}

} // namespace
} // namespace jackfield::sip
