#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/sip/uri.hpp"

namespace {

using namespace jackfield::sip;

void require(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto line_end = text.find('\n');
  auto first = uri::parse(text.substr(0, line_end));
  require(unescape(escape_user(text)) == text);
  if (!first)
    return 0;
  require(equivalent(*first, *first));
  if (first->is_sip()) {
    require(!first->host().empty());
    require(!first->host_is_ipv6() || is_ipv6(first->host()));
    auto user = escape_user(unescape(first->user()));
    require(unescape(user) == unescape(first->user()));
    for (auto rest = first->parameters(); !rest.empty();)
      require(first->parameter(next_uri_parameter(rest).name).has_value());
  }
  if (line_end != std::string_view::npos)
    if (auto second = uri::parse(text.substr(line_end + 1)))
      require(equivalent(*first, *second) == equivalent(*second, *first));
  return 0;
}
