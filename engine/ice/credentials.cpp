#include "engine/ice/credentials.hpp"

#include <string_view>
#include <utility>

#include <openssl/crypto.h>

#include "engine/ice/ice_chars.hpp"

namespace jackfield::ice {

credentials::credentials(std::string ufrag_text, std::string pwd_text)
    : ufrag(std::move(ufrag_text)), pwd(pwd_text) {
  // A move would leave a short text behind where it came from.
  OPENSSL_cleanse(pwd_text.data(), pwd_text.size());
}

credentials& credentials::operator=(const credentials& other) {
  if (this != &other) {
    wipe();
    ufrag = other.ufrag;
    pwd = other.pwd;
  }
  return *this;
}

credentials::~credentials() {
  wipe();
}

bool credentials::valid() const noexcept {
  return is_ice_text(ufrag, 4, 256) && is_ice_text(pwd, 22, 256);
}

void credentials::wipe() noexcept {
  OPENSSL_cleanse(pwd.data(), pwd.size());
}

credentials make_credentials(std::span<const std::byte, credential_bytes> random) {
  constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static_assert(alphabet.size() == 64);
  constexpr size_t ufrag_length = 8;
  credentials out;
  out.pwd.reserve(random.size() - ufrag_length);
  for (size_t i = 0; i < random.size(); ++i) {
    const char c = alphabet[std::to_integer<size_t>(random[i]) % alphabet.size()];
    (i < ufrag_length ? out.ufrag : out.pwd) += c;
  }
  return out;
}

} // namespace jackfield::ice
