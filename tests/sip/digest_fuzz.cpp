#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sip/digest.hpp"

using namespace jackfield::sip;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

std::string_view find_ha1(void*, std::string_view user, digest_algorithm) {
  return user == "bob" ? "939e7578ed9e3c518a452acee763bce9" : std::string_view{};
}

} // namespace

/// The bytes as a challenge, as credentials, and as the fields of a 401 and of a request.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(digest_challenge::parse(text));
  if (auto c = digest_credentials::parse(text))
    static_cast<void>(
      digest_response(*c, "939e7578ed9e3c518a452acee763bce9", {"REGISTER", "sip:h", text}));

  static const std::vector<credential> known{{"bob", "*", "pw", {"h"}}};
  digest_session session;
  std::string head = "Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
                     "To: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n";
  auto response =
    "SIP/2.0 401 No\r\n" + head + "WWW-Authenticate: " + std::string(text) + "\r\n\r\n";
  message m;
  if (m.parse(response) == parse_verdict::good) {
    for (int i = 0; i < 3; ++i) {
      session.on_challenge(m, known, "h", "h", 1);
      std::string out;
      session.append_authorization(out, {"REGISTER", "sip:h", ""}, "h", "h");
      for (std::string_view rest = out; !rest.empty();) { // each line is one we can read
        auto end = rest.find("\r\n");
        require(end != std::string_view::npos && end <= max_credential_bytes + 40);
        auto value = rest.substr(0, end);
        value.remove_prefix(value.find(':') + 2);
        require(digest_credentials::parse(value).has_value());
        rest.remove_prefix(end + 2);
      }
      session.on_success(m);
    }
  }
  auto request = "REGISTER sip:h SIP/2.0\r\nMax-Forwards: 70\r\n" + head +
                 "Authorization: " + std::string(text) + "\r\n\r\n";
  if (m.parse(request) == parse_verdict::good) {
    digest_verifier verifier({.realm = "r", .secret = "0123456789abcdef", .replay_entries = 4});
    std::string user;
    auto v = verifier.verify(m, {}, &find_ha1, nullptr, user);
    require(v != digest_verifier::verdict::accepted);
  }
  return 0;
}
