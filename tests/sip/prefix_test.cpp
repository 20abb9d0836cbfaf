#include <gtest/gtest.h>

#include <algorithm>

#include <string>
#include <string_view>
#include <vector>

#include "engine/sip/fields.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/message_writer.hpp"
#include "engine/sip/multipart.hpp"
#include "engine/sip/request_check.hpp"
#include "engine/sip/stream_framer.hpp"
#include "engine/sip/uri.hpp"
#include "tests/guarded_bytes.hpp"
#include "tests/sip/samples.hpp"

namespace jackfield::sip {

namespace {

/// Everything that reads a message's bytes.
void read(std::string_view bytes) {
  static message m;
  static std::string out;
  for (bool datagram : {true, false}) {
    auto verdict = m.parse(bytes, datagram);
    if (verdict != parse_verdict::good && verdict != parse_verdict::faulty)
      continue;
    if (m.is_request())
      static_cast<void>(check_request(m, {}));
    out.clear();
    message_writer(out).response_head(m, 200, {}, "t", {"192.0.2.1", 5060});
    static_cast<void>(uri::parse(m.request_uri()));
    for (const auto& field : m.fields()) {
      static_cast<void>(parse_name_addr(field.value));
      static_cast<void>(parse_via(field.value));
      static_cast<void>(parameter(field.value, "tag"));
      static_cast<void>(parse_media_type(field.value));
    }
    static_cast<void>(split_multipart(m.first(header::content_type), m.body()));
  }
  stream_framer framer;
  framer.feed(bytes);
  while (framer.next()) {
  }
}

/// Every prefix against an inaccessible page on both sides. The prefixes at the front share one
/// mapping, those at the back are laid against its end in turn.
void read_prefixes(const std::string& text) {
  tests::guarded_bytes front(text, tests::guarded_bytes::guard::before);
  tests::guarded_bytes back(text, tests::guarded_bytes::guard::behind);
  auto at_end = back.writable();
  for (size_t size = 0; size <= text.size(); ++size) {
    read(front.view().substr(0, size));
    auto place = at_end.subspan(text.size() - size);
    std::copy_n(text.begin(), size, place.begin());
    read({place.data(), size});
  }
}

} // namespace

TEST(prefixes, of_good_messages_are_read_within_their_bounds) {
  read_prefixes(tests::invite);
  read_prefixes(tests::ok);
}

TEST(prefixes, of_the_torture_tests_are_read_within_their_bounds) {
  auto samples = tests::sip_samples("rfc4475");
  if (samples.empty())
    GTEST_SKIP() << "no ../shared/data";
  for (const auto& folder : {"rfc4475", "rfc5118", "advisory-regressions"})
    for (const auto& sample : tests::sip_samples(folder))
      if (sample.text.size() < 4'000)
        read_prefixes(sample.text);
}

TEST(prefixes, of_values_are_read_within_their_bounds) {
  for (std::string_view value :
       {R"("A \" B" <sip:a%20b:c@[2001:db8::1]:5060;lr;x="?h=v%41>;tag=1;q=0.5;expires="6\0")",
        "SIP / 2.0 / UDP [2001:db8::1] : 5060 ; branch=z9hG4bKx;received=[::1];rport;ttl=1",
        "multipart/mixed;boundary=\"a b\"", "sip:a@b:5060;c=d;e?f=g&h=%41", "tel:+1-2;a=b",
        "sip:[1:2:3:4:5:6:192.0.2.1]", "65535 INVITE", "18 (comment);duration=3600"})
    for (size_t size = 0; size <= value.size(); ++size) {
      tests::guarded_bytes guarded(value.substr(0, size));
      auto text = guarded.view();
      static_cast<void>(parse_name_addr(text));
      static_cast<void>(parse_via(text));
      static_cast<void>(parse_cseq(text));
      static_cast<void>(parse_media_type(text));
      static_cast<void>(parse_retry_after(text));
      static_cast<void>(parameter(text, "boundary"));
      static_cast<void>(uri::parse(text));
      static_cast<void>(is_ipv6(text));
      static_cast<void>(is_ipv4(text));
      static_cast<void>(unescape(text));
      static_cast<void>(unquote(text));
      static_cast<void>(split_multipart(text, text));
    }
}

} // namespace jackfield::sip
