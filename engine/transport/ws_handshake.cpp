#include "engine/transport/ws_handshake.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/evp.h>

namespace jackfield::transport {

namespace {

constexpr std::string_view place = "websocket handshake";
constexpr size_t max_fields = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equal_in_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
           marks.find(c) != std::string_view::npos;
  });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

struct field {
  std::string_view name;
  std::string_view value;
};

/// A head cut into its first line and its fields; the views point into the head.
struct parsed_head {
  std::string_view first_line;
  std::vector<field> fields;

  /// The value of a field that may stand once only: nothing if it is absent or repeated.
  [[nodiscard]] std::optional<std::string_view> once(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const field& f : fields)
      if (equal_in_any_case(f.name, name)) {
        if (found)
          return std::nullopt;
        found = f.value;
      }
    return found;
  }
  [[nodiscard]] size_t count(std::string_view name) const {
    return static_cast<size_t>(std::count_if(fields.begin(), fields.end(), [&](const field& f) {
      return equal_in_any_case(f.name, name);
    }));
  }
  /// True if one of the comma-separated values of the fields of that name satisfies `is_it`.
  template <class Predicate>
  [[nodiscard]] bool lists(std::string_view name, Predicate&& is_it) const {
    for (const field& f : fields) {
      if (!equal_in_any_case(f.name, name))
        continue;
      std::string_view rest = f.value;
      while (true) {
        const size_t comma = rest.find(',');
        if (is_it(trim(rest.substr(0, comma))))
          return true;
        if (comma == std::string_view::npos)
          break;
        rest.remove_prefix(comma + 1);
      }
    }
    return false;
  }
  [[nodiscard]] bool lists_in_any_case(std::string_view name, std::string_view value) const {
    return lists(name, [&](std::string_view x) { return equal_in_any_case(x, value); });
  }
};

result<parsed_head> parse(std::string_view head) {
  const auto bad = [](const char* why) { return fail(std::string{place}, why); };
  if (head.size() < 4 || head.substr(head.size() - 4) != "\r\n\r\n")
    return bad("the head does not end with an empty line");
  head.remove_suffix(2);
  parsed_head out;
  bool first = true;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    for (const char c : line)
      if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f)
        return bad("control character in the head");
    if (first) {
      out.first_line = line;
      first = false;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return bad("malformed header field");
    if (out.fields.size() == max_fields)
      return bad("too many header fields");
    out.fields.push_back({line.substr(0, colon), trim(line.substr(colon + 1))});
  }
  return out;
}

bool is_upgrade(const parsed_head& head) {
  return head.lists_in_any_case("Upgrade", "websocket") &&
         head.lists_in_any_case("Connection", "upgrade");
}

// Base64 of 16 bytes: 22 characters and two pads, the last character having four zero bits.
bool is_key(std::string_view key) {
  if (key.size() != 24 || key.substr(22) != "==")
    return false;
  const auto digit = [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '+' || c == '/';
  };
  return std::all_of(key.begin(), key.begin() + 22, digit) &&
         std::string_view{"AQgw"}.find(key[21]) != std::string_view::npos;
}

std::string accept_of(std::string_view key) {
  std::string text{key};
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 §1.3
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64({reinterpret_cast<const char*>(digest.data()), size});
}

ws_answer refuse(int status, std::string_view phrase, std::string reason,
                 std::string_view more = {}) {
  ws_answer out;
  out.status = status;
  out.reason = std::move(reason);
  out.response = "HTTP/1.1 " + std::to_string(status) + ' ';
  out.response += phrase;
  out.response += "\r\nConnection: close\r\nContent-Length: 0\r\n";
  out.response += more;
  out.response += "\r\n";
  return out;
}

} // namespace

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0'); // EVP_EncodeBlock ends with a zero
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

result<std::optional<size_t>> find_ws_head(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  const std::string_view head = bytes.substr(0, end);
  // Seen early so that whoever speaks TLS, SIP or nonsense here is not waited for.
  for (const char c : head.substr(0, max_ws_head))
    if (static_cast<unsigned char>(c) < ' ' && c != '\r' && c != '\n' && c != '\t')
      return fail(std::string{place}, "control character in the head");
  if (end != std::string_view::npos && end + 4 <= max_ws_head)
    return end + 4;
  if (bytes.size() >= max_ws_head)
    return fail(std::string{place}, "the head is longer than 8192 bytes");
  return std::nullopt;
}

std::string ws_client_request(const ws_client_settings& settings, std::string_view host,
                              std::string_view key) {
  std::string out = "GET " + settings.path + " HTTP/1.1\r\nHost: ";
  out += host;
  out += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ";
  out += key;
  out += "\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n";
  if (!settings.origin.empty())
    out += "Origin: " + settings.origin + "\r\n";
  out += "\r\n";
  return out;
}

result<void> check_ws_response(std::string_view head, std::string_view key) {
  const auto bad = [](std::string why) { return fail(std::string{place}, std::move(why)); };
  const auto parsed = parse(head);
  if (!parsed)
    return tl::unexpected(parsed.error());
  const std::string_view line = parsed->first_line;
  constexpr std::string_view expected = "HTTP/1.1 101";
  if (line.substr(0, expected.size()) != expected ||
      (line.size() > expected.size() && line[expected.size()] != ' '))
    return bad("the server answered \"" + std::string{line.substr(0, 80)} +
               "\", expected \"HTTP/1.1 101\"");
  if (!is_upgrade(*parsed))
    return bad("the server did not upgrade to websocket");
  if (parsed->once("Sec-WebSocket-Accept") != accept_of(key))
    return bad("wrong Sec-WebSocket-Accept");
  if (parsed->once("Sec-WebSocket-Protocol") != "sip")
    return bad("the server did not accept subprotocol sip");
  if (parsed->count("Sec-WebSocket-Extensions") != 0)
    return bad("the server uses an extension that was not offered");
  return {};
}

ws_answer answer_ws_request(std::string_view head, const ws_server_settings& settings) {
  const auto bad = [](std::string why) { return refuse(400, "Bad Request", std::move(why)); };
  const auto parsed = parse(head);
  if (!parsed)
    return bad(parsed.error().cause);
  const std::string_view line = parsed->first_line;
  constexpr std::string_view method = "GET ";
  constexpr std::string_view version = " HTTP/1.1";
  if (line.size() < method.size() + version.size() + 1 || line.substr(0, method.size()) != method ||
      line.substr(line.size() - version.size()) != version)
    return bad("not a GET request of HTTP/1.1");
  const std::string_view target =
    line.substr(method.size(), line.size() - method.size() - version.size());
  if (target.front() != '/' || target.find_first_of(" \t") != std::string_view::npos)
    return bad("malformed request target");
  if (parsed->once("Host").value_or("").empty())
    return bad("no or more than one Host");
  if (!is_upgrade(*parsed))
    return refuse(426, "Upgrade Required", "not a websocket request",
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  if (parsed->once("Sec-WebSocket-Version") != "13")
    return refuse(426, "Upgrade Required", "websocket version is not 13",
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  const auto key = parsed->once("Sec-WebSocket-Key");
  if (!key || !is_key(*key))
    return bad("no usable Sec-WebSocket-Key");
  if (parsed->count("Origin") > 1)
    return bad("more than one Origin");
  if (const auto origin = parsed->once("Origin");
      origin && !settings.allowed_origins.empty() &&
      std::find(settings.allowed_origins.begin(), settings.allowed_origins.end(), *origin) ==
        settings.allowed_origins.end())
    return refuse(403, "Forbidden",
                  "origin \"" + std::string{origin->substr(0, 80)} +
                    "\" is not in the list of allowed origins");
  if (!parsed->lists("Sec-WebSocket-Protocol", [](std::string_view x) { return x == "sip"; }))
    return bad("subprotocol sip is not offered");
  ws_answer out;
  out.status = 101;
  out.response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
                 accept_of(*key) + "\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
  return out;
}

} // namespace jackfield::transport
