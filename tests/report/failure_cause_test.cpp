#include "engine/report/failure_cause.hpp"

#include <gtest/gtest.h>

namespace jackfield::report {
namespace {

TEST(failure_cause, is_found_by_its_name) {
  for (uint16_t code = 0; code < failure_cause::own_causes; ++code) {
    const failure_cause cause{static_cast<failure_cause::own>(code)};
    EXPECT_EQ(failure_cause::from_name(cause.name()), cause) << cause.name();
  }
  for (const int status : {300, 486, 699}) {
    const auto cause = failure_cause::from_status(status);
    EXPECT_EQ(failure_cause::from_name(cause.name()), cause);
  }
  EXPECT_EQ(failure_cause::from_name(""), failure_cause{});
  EXPECT_EQ(failure_cause::from_name("completed"), failure_cause{});
}

TEST(failure_cause, is_not_found_by_another) {
  for (const auto* name : {"sip_", "sip_299", "sip_700", "sip_486x", "sip_-486", "486", "busy"})
    EXPECT_FALSE(failure_cause::from_name(name)) << name;
}

} // namespace
} // namespace jackfield::report
