#include "engine/sdp/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <type_traits>

#include <arpa/inet.h>

namespace jackfield::sdp {

namespace {

constexpr std::array<std::string_view, 4> direction_names{"sendrecv", "sendonly", "recvonly",
                                                          "inactive"};
constexpr std::array<std::string_view, 4> setup_names{"active", "passive", "actpass", "holdconn"};

class printer {
public:
  explicit printer(std::string& out) : out_(out) {}

  void write(const session& from) {
    out_ += "v=0\r\no=";
    put(from.from.username, ' ', from.from.session_id, ' ', from.from.version, ' ');
    write(from.from.address);
    put("\r\ns=", from.name, "\r\n");
    write_lines(from.lines, "iuep", true);
    if (from.address) {
      write_address(*from.address);
    }
    write(from.bandwidths);
    if (from.times.empty()) {
      out_ += "t=0 0\r\n";
    }
    for (const auto& each : from.times) {
      put("t=", each.start, ' ', each.stop, "\r\n");
      for (const auto& repeat : each.repeats) {
        put(repeat.type, '=', repeat.value, "\r\n");
      }
    }
    write_lines(from.lines, "iuep", false);
    write(from.attributes);
    for (const auto& each : from.media) {
      write(each);
    }
  }

private:
  template <class... Ts>
  void put(const Ts&... parts) {
    (put_one(parts), ...);
  }

  void put_one(std::string_view text) { out_ += text; }
  void put_one(char c) { out_ += c; }

  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, char>) void put_one(T number) {
    std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 1> digits;
    auto [end, code] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out_.append(digits.data(), end);
  }

  void write(const connection& from) {
    put(from.network, ' ', from.family, ' ', from.host, from.suffix);
  }

  void write_address(const connection& from) {
    out_ += "c=";
    write(from);
    out_ += "\r\n";
  }

  void write(const std::vector<bandwidth>& from) {
    for (const auto& each : from) {
      put("b=", each.type, ':', each.value, "\r\n");
    }
  }

  /// The lines whose type is among `types`, or all others.
  void write_lines(const std::vector<raw_line>& from, std::string_view types, bool among) {
    for (const auto& each : from) {
      if ((types.find(each.type) != std::string_view::npos) == among) {
        put(each.type, '=', each.value, "\r\n");
      }
    }
  }

  void write(const attribute_list& from) {
    for (const auto& each : from) {
      out_ += "a=";
      std::visit([this](const auto& value) { write_value(value); }, each);
      out_ += "\r\n";
    }
  }

  void write_value(const raw_attribute& from) {
    out_ += from.name;
    if (from.value) {
      put(':', *from.value);
    }
  }

  void write_value(const rtpmap& from) {
    put("rtpmap:", from.payload_type, ' ', from.encoding, '/', from.clock_rate);
    if (from.channels > 1) {
      put('/', from.channels);
    }
  }

  void write_value(const fmtp& from) { put("fmtp:", from.payload_type, ' ', from.parameters); }
  void write_value(const ptime& from) { put("ptime:", from.ms); }
  void write_value(const maxptime& from) { put("maxptime:", from.ms); }
  void write_value(direction from) { out_ += to_string(from); }

  void write_value(const rtcp& from) {
    put("rtcp:", from.port);
    if (from.address) {
      out_ += ' ';
      write(*from.address);
    }
  }

  void write_value(const rtcp_mux&) { out_ += "rtcp-mux"; }
  void write_value(const ssrc& from) { put("ssrc:", from.id, ' ', from.attribute); }
  void write_value(const mid& from) { put("mid:", from.tag); }

  void write_value(const group& from) {
    put("group:", from.semantics);
    for (const auto& tag : from.mids) {
      put(' ', tag);
    }
  }

  void write_value(const fingerprint& from) { put("fingerprint:", from.hash, ' ', from.value); }
  void write_value(setup from) { put("setup:", to_string(from)); }

  void write(const media_description& from) {
    put("m=", from.type, ' ', from.port);
    if (from.port_count > 1) {
      put('/', from.port_count);
    }
    put(' ', from.profile);
    for (const auto& format : from.formats) {
      put(' ', format);
    }
    out_ += "\r\n";
    write_lines(from.lines, "i", true);
    for (const auto& each : from.connections) {
      write_address(each);
    }
    write(from.bandwidths);
    write_lines(from.lines, "i", false);
    write(from.attributes);
  }

  std::string& out_;
};

} // namespace

host_kind kind_of(std::string_view host) noexcept {
  // inet_pton wants a terminated string; the longest IPv6 literal has 45 characters.
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (host.size() >= text.size()) {
    return host_kind::name;
  }
  std::copy(host.begin(), host.end(), text.begin());
  in6_addr parsed;
  if (inet_pton(AF_INET, text.data(), &parsed) == 1) {
    return host_kind::ipv4;
  }
  return inet_pton(AF_INET6, text.data(), &parsed) == 1 ? host_kind::ipv6 : host_kind::name;
}

connection connection_at(std::string_view host) {
  connection made;
  made.family = kind_of(host) == host_kind::ipv6 ? "IP6" : "IP4";
  made.host = host;
  return made;
}

std::string_view to_string(direction value) noexcept {
  return direction_names[static_cast<std::size_t>(value)];
}

std::string_view to_string(setup value) noexcept {
  return setup_names[static_cast<std::size_t>(value)];
}

direction reversed(direction value) noexcept {
  switch (value) {
  case direction::sendonly:
    return direction::recvonly;
  case direction::recvonly:
    return direction::sendonly;
  case direction::sendrecv:
  case direction::inactive:
    break;
  }
  return value;
}

direction common(direction a, direction b) noexcept {
  if (sends(a) && sends(b)) {
    return receives(a) && receives(b) ? direction::sendrecv : direction::sendonly;
  }
  return receives(a) && receives(b) ? direction::recvonly : direction::inactive;
}

const raw_attribute* find(const attribute_list& attributes, std::string_view name) noexcept {
  for (const auto& each : attributes) {
    if (const auto* raw = std::get_if<raw_attribute>(&each); raw != nullptr && raw->name == name) {
      return raw;
    }
  }
  return nullptr;
}

bool is_bundled(const session& description, std::string_view mid) noexcept {
  return std::any_of(
    description.attributes.begin(), description.attributes.end(), [&](const attribute& each) {
      const auto* found = std::get_if<group>(&each);
      return found != nullptr && found->semantics == bundle_semantics &&
             std::find(found->mids.begin(), found->mids.end(), mid) != found->mids.end();
    });
}

bool is_rtp(std::string_view profile) noexcept {
  std::size_t at = profile.find("RTP/");
  return at == 0 || (at != std::string_view::npos && profile[at - 1] == '/');
}

void print(const session& description, std::string& out) {
  printer(out).write(description);
}

std::string print(const session& description) {
  std::string out;
  out.reserve(512);
  print(description, out);
  return out;
}

} // namespace jackfield::sdp
