#include "engine/sip/digest_detail.hpp"

#include <array>
#include <charconv>
#include <memory>

#include <openssl/evp.h>

namespace jackfield::sip::digest_detail {
namespace {

struct free_md {
  void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
};
struct free_context {
  void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
};

/// Looked up once: a look-up costs more than a digest.
[[nodiscard]] const EVP_MD* evp_of(digest_algorithm a) {
  static const std::array<std::unique_ptr<EVP_MD, free_md>, 3> all{
    std::unique_ptr<EVP_MD, free_md>(EVP_MD_fetch(nullptr, "MD5", nullptr)),
    std::unique_ptr<EVP_MD, free_md>(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
    std::unique_ptr<EVP_MD, free_md>(EVP_MD_fetch(nullptr, "SHA512-256", nullptr))};
  return all[static_cast<size_t>(a)].get();
}

} // namespace

bool has_algorithm(digest_algorithm a) noexcept {
  return evp_of(a) != nullptr;
}

void append_hex(std::string& out, const unsigned char* bytes, size_t n) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (size_t i = 0; i < n; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
}

void append_hex(std::string& out, uint64_t n, size_t digits) {
  for (auto shift = 4 * digits; shift > 0;) {
    shift -= 4;
    out += "0123456789abcdef"[n >> shift & 15];
  }
}

std::optional<uint64_t> parse_hex(std::string_view text, size_t digits) noexcept {
  uint64_t n = 0;
  if (text.size() != digits)
    return std::nullopt;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
  if (failed != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return n;
}

std::string hex_of(digest_algorithm a, std::initializer_list<std::string_view> pieces) {
  thread_local std::unique_ptr<EVP_MD_CTX, free_context> context(EVP_MD_CTX_new());
  std::string out;
  const auto* md = evp_of(a);
  if (md == nullptr || !context || EVP_DigestInit_ex2(context.get(), md, nullptr) != 1)
    return out;
  bool first = true;
  for (auto piece : pieces) {
    if (!first)
      EVP_DigestUpdate(context.get(), ":", 1);
    first = false;
    EVP_DigestUpdate(context.get(), piece.data(), piece.size());
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context.get(), bytes.data(), &size) != 1)
    return out;
  append_hex(out, bytes.data(), size);
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

std::string unescape_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      ++i;
    out += text[i];
  }
  return out;
}

std::string_view qop_name(digest_qop q) noexcept {
  return q == digest_qop::auth ? "auth" : q == digest_qop::auth_int ? "auth-int" : "";
}

std::string response_of(digest_algorithm a, bool session, digest_qop qop, std::string_view ha1,
                        std::string_view nonce, std::string_view nc, std::string_view cnonce,
                        const digest_request& r, std::string_view uri_text) {
  std::string session_ha1;
  if (session) {
    session_ha1 = hex_of(a, {ha1, nonce, cnonce});
    ha1 = session_ha1;
  }
  auto ha2 = qop == digest_qop::auth_int ? hex_of(a, {r.method_name, uri_text, hex_of(a, {r.body})})
                                         : hex_of(a, {r.method_name, uri_text});
  if (qop == digest_qop::none)
    return hex_of(a, {ha1, nonce, ha2});
  return hex_of(a, {ha1, nonce, nc, cnonce, qop_name(qop), ha2});
}

} // namespace jackfield::sip::digest_detail
