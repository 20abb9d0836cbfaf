#include "engine/srtp/master_key.hpp"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace jackfield::srtp {

namespace {

constexpr const char* place = "srtp key";
/// Of the longest key, with what fills it up.
constexpr size_t most_base64 = (master_key::most_bytes + 2) / 3 * 4;

std::string expected_for(profile p) {
  return std::to_string(master_key::size_for(p)) + " for " + std::string{suite_of(p)};
}

} // namespace

master_key::master_key(profile p, std::span<const std::byte> bytes) noexcept
    : size_(static_cast<uint8_t>(bytes.size())), profile_(p) {
  std::ranges::copy(bytes, bytes_.begin());
}

master_key::~master_key() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

result<master_key> master_key::from(profile p, std::span<const std::byte> bytes) {
  if (bytes.size() != size_for(p))
    return fail(place, std::to_string(bytes.size()) + " bytes, expected " + expected_for(p));
  return master_key{p, bytes};
}

result<master_key> master_key::parse(profile p, std::string_view base64) {
  // Peers leave the filling out, some of them.
  const auto text = base64.substr(0, base64.find_last_not_of('=') + 1);
  const auto size = text.size() * 3 / 4;
  std::array<unsigned char, most_base64> padded{};
  std::array<unsigned char, most_base64> decoded{};
  if (size != size_for(p))
    return fail(place, std::to_string(size) + " bytes, expected " + expected_for(p));
  std::ranges::fill(padded, '=');
  std::ranges::copy(text, padded.begin());
  const auto padded_size = static_cast<int>((text.size() + 3) / 4 * 4);
  // EVP_DecodeBlock takes blanks around a text, and '=' within it.
  const bool whole = text.find_first_of("= \t\r\n") == std::string_view::npos &&
                     EVP_DecodeBlock(decoded.data(), padded.data(), padded_size) >= 0;
  result<master_key> made = fail(place, "no base64");
  if (whole)
    made = master_key{p, std::as_bytes(std::span{decoded}.first(size))};
  OPENSSL_cleanse(padded.data(), padded.size());
  OPENSSL_cleanse(decoded.data(), decoded.size());
  return made;
}

std::string master_key::base64() const {
  std::array<unsigned char, most_base64 + 1> text{}; // a zero follows
  const auto length = EVP_EncodeBlock(
    text.data(), reinterpret_cast<const unsigned char*>(bytes_.data()), static_cast<int>(size_));
  std::string made(text.begin(), text.begin() + length);
  OPENSSL_cleanse(text.data(), text.size());
  return made;
}

} // namespace jackfield::srtp
