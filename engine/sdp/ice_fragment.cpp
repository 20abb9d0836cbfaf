#include "engine/sdp/ice_fragment.hpp"

#include <algorithm>
#include <utility>

namespace jackfield::sdp {

namespace {

tl::unexpected<error> refuse(std::string cause) {
  return tl::unexpected(error{"ice fragment", std::move(cause)});
}

/// Takes the next line, without its end.
std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

/// What follows "a=<name>:"; nothing if the line is another.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
  line.remove_prefix(2);
  if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') {
    return std::nullopt;
  }
  return line.substr(name.size() + 1);
}

} // namespace

result<ice_fragment> parse_ice_fragment(std::string_view text) {
  if (text.size() > ice_fragment::max_bytes) {
    return refuse("more than " + std::to_string(ice_fragment::max_bytes) + " bytes");
  }
  ice_fragment made;
  ice_fragment::stream of_all; // what stands before the first m-line
  std::size_t candidates = 0;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty()) {
      continue;
    }
    if (line.find('\0') != std::string_view::npos || line.size() < 2 || line[1] != '=') {
      return refuse("a line is not of the form x=...");
    }
    if (line[0] == 'm') {
      if (made.streams.size() == ice_fragment::max_streams) {
        return refuse("more than " + std::to_string(ice_fragment::max_streams) + " m-lines");
      }
      made.streams.push_back(of_all);
      made.streams.back().mid.clear();
      continue;
    }
    if (line[0] != 'a') {
      continue;
    }
    auto& told = made.streams.empty() ? of_all : made.streams.back();
    if (const auto ufrag = value_of(line, "ice-ufrag"); ufrag) {
      told.ufrag = *ufrag;
    } else if (const auto pwd = value_of(line, "ice-pwd"); pwd) {
      told.pwd = *pwd;
    } else if (line == "a=end-of-candidates") {
      told.complete = true;
    } else if (made.streams.empty()) {
      continue; // the rest is said of one m-line only
    } else if (const auto mid = value_of(line, "mid"); mid) {
      told.mid = *mid;
    } else if (const auto candidate = value_of(line, "candidate"); candidate) {
      if (++candidates > ice_fragment::max_candidates) {
        return refuse("more than " + std::to_string(ice_fragment::max_candidates) + " candidates");
      }
      told.candidates.emplace_back(*candidate);
    }
  }
  if (made.streams.empty()) {
    made.streams.push_back(std::move(of_all));
  }
  for (const auto& each : made.streams) {
    if (each.ufrag.empty() || each.pwd.empty()) {
      return refuse("no a=ice-ufrag or no a=ice-pwd");
    }
  }
  return made;
}

std::string print_ice_fragment(const ice_fragment::stream& told) {
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view value) {
    out.append("a=").append(name).append(value).append("\r\n");
  };
  line("ice-ufrag:", told.ufrag);
  line("ice-pwd:", told.pwd);
  out.append("m=audio 9 RTP/AVP 0\r\n"); // which m-line is meant is said by a=mid alone
  if (!told.mid.empty()) {
    line("mid:", told.mid);
  }
  for (const auto& each : told.candidates) {
    line("candidate:", each);
  }
  if (told.complete) {
    line("end-of-candidates", "");
  }
  return out;
}

bool is_about(const ice_fragment::stream& told, const ice_description& described) noexcept {
  return told.ufrag == described.ufrag && told.pwd == described.pwd &&
         (told.mid.empty() || described.mid.empty() || told.mid == described.mid);
}

} // namespace jackfield::sdp
