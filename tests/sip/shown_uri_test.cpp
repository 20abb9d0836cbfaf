#include "engine/sip/shown_uri.hpp"

#include <string>

#include <gtest/gtest.h>

namespace jackfield::sip {
namespace {

/// RFC 3261 §19.1.1: the password is what stands between the user and '@'.
TEST(shown_uri, has_no_password) {
  struct row {
    std::string uri, shown;
  };
  for (const auto& r : {
         row{"sip:alice:secret@example.com", "sip:alice:***@example.com"},
         row{"sips:alice:s@example.com:5061;transport=tcp?a=b",
             "sips:alice:***@example.com:5061;transport=tcp?a=b"},
         row{"sip:alice:a:b@[::1]:5060", "sip:alice:***@[::1]:5060"},
         row{"sip:alice:@h", "sip:alice:***@h"},
         // Schemes are the same in any case (§19.1.4).
         row{"SIP:alice:secret@h", "SIP:alice:***@h"},
         row{"Sips:alice:secret@h", "Sips:alice:***@h"},
       })
    EXPECT_EQ(without_password(r.uri), r.shown);
}

TEST(shown_uri, that_has_no_password_is_as_it_was) {
  for (const auto* uri : {"", "sip:", "sip:h", "sip:h:5060", "sip:alice@h", "sip:alice@h:5060",
                          "sips:alice@[::1]:5061", "tel:+1-201-555-0123", "tel:a:b@h",
                          "mailto:a:b@h", "a:b@h", "sipx:a:b@h"})
    EXPECT_EQ(without_password(uri), uri);
}

} // namespace
} // namespace jackfield::sip
