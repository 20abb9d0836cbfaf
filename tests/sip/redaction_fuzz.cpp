#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/sip/redaction.hpp"

namespace {

constexpr std::string_view secret = "5ecr3tW0rd";

/// Whatever stands before and behind a line with a secret, the secret is blanked.
void expect_blanked(std::string_view before, std::string_view line, std::string_view behind) {
  std::string text{before};
  text += "\r\n";
  text += line;
  text += secret;
  text += behind;
  if (jackfield::sip::redacted(text).find(secret) != std::string::npos)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto once = jackfield::sip::redacted(bytes);
  if (once.size() > 4 * bytes.size() + 4)
    std::abort();
  if (bytes.find(secret) != std::string_view::npos)
    return 0;
  const auto before = bytes.substr(0, size / 2);
  const auto behind = bytes.substr(size / 2);
  const auto next_line = "\r\n" + std::string{behind};
  for (const std::string_view line :
       {"Authorization: Digest response=", "proxy-authorization: Basic ",
        "Identity: ", "a=ice-pwd:", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", "Signal="})
    expect_blanked(before, line, next_line);
  expect_blanked(before, "Contact: <sip:bob:", "@host>" + next_line);
  return 0;
}
