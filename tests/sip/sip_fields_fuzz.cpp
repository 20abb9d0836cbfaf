#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/sip/fields.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/multipart.hpp"
#include "engine/sip/uri.hpp"

namespace {

using namespace jackfield::sip;

std::string_view whole;

void inside(std::string_view v) {
  if (!v.empty() && (v.data() < whole.data() || v.data() + v.size() > whole.data() + whole.size()))
    std::abort();
}

void read_value(std::string_view value) {
  if (auto address = parse_name_addr(value)) {
    inside(address->display_name);
    inside(address->uri);
    inside(address->tag);
    if (address->q() < 0 || address->q() > 1000)
      std::abort();
    static_cast<void>(address->expires());
    static_cast<void>(unquote(address->display_name));
    static_cast<void>(uri::parse(address->uri));
  }
  if (auto top = parse_via(value)) {
    inside(top->host);
    inside(top->branch);
    inside(top->received);
    if (top->host.empty())
      std::abort();
  }
  if (auto found = parameter(value, "tag"))
    inside(*found);
  static_cast<void>(parse_cseq(value));
  static_cast<void>(parse_retry_after(value));
  if (auto type = parse_media_type(value))
    inside(type->parameters);
}

} // namespace

/// The first line is a header value, and the type of the multipart body that follows it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  whole = {reinterpret_cast<const char*>(data), size};
  read_value(whole);
  for (auto rest = whole; !rest.empty();) {
    auto before = rest.size();
    read_value(next_value(rest));
    if (rest.size() >= before)
      std::abort();
  }
  auto line_end = whole.find('\n');
  auto type = whole.substr(0, line_end);
  auto body = line_end == std::string_view::npos ? whole : whole.substr(line_end + 1);
  if (auto parts = split_multipart(type, body)) {
    if (parts->empty() || parts->size() > multipart_limits().parts)
      std::abort();
    for (const auto& part : *parts)
      inside(part.body);
  }
  static_cast<void>(split_multipart("multipart/mixed;boundary=b", body));
  return 0;
}
