#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"

struct x509_st;

namespace jackfield::dtls {

/// The hashes that a certificate may be verified by, the strongest last. SHA-1 and what is older
/// are none of them.
enum class hash : uint8_t { sha256, sha384, sha512 };

/// The hash's name in SDP, in lower case.
[[nodiscard]] std::string_view to_string(hash h) noexcept;
/// Finds a hash by its name, in any case; unset if it is unknown or refused.
[[nodiscard]] std::optional<hash> hash_of(std::string_view name) noexcept;

/// A certificate's fingerprint as SDP's a=fingerprint has it (RFC 8122 §5).
class fingerprint {
public:
  static constexpr size_t max_digest = 64;

  /// Takes the attribute's two words: "sha-256" and "4A:AD:...". Fails if the hash is none of
  /// ours, or the digest has another length than the hash, or is not hexadecimal pairs.
  static result<fingerprint> parse(std::string_view name, std::string_view digest);
  static result<fingerprint> of(const x509_st* certificate, hash h);

  [[nodiscard]] hash function() const noexcept { return hash_; }
  /// The attribute's value: "sha-256 4A:AD:...".
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool matches(const x509_st* certificate) const;

  friend bool operator==(const fingerprint&, const fingerprint&) = default;

private:
  fingerprint() = default;

  std::array<std::byte, max_digest> digest_{}; // zeros behind the digest
  uint8_t size_ = 0;
  hash hash_ = hash::sha256;
};

/// What a peer's description says of its certificate: all fingerprints of one media section.
class fingerprint_list {
public:
  /// A description has one or two; what comes after these is refused.
  static constexpr size_t max_lines = 16;

  /// Takes one a=fingerprint. A hash that we don't verify by is passed over, as RFC 8122 §5 wants;
  /// fails if the digest of a known one is malformed or there are too many.
  result<void> add(std::string_view name, std::string_view digest);
  void add(const fingerprint& one);

  /// False if nothing in it can be verified by: such a description is not acceptable.
  [[nodiscard]] bool usable() const noexcept { return !known_.empty(); }
  /// True if the certificate has one of the fingerprints of the strongest hash in the list.
  [[nodiscard]] bool matches(const x509_st* certificate) const;

private:
  std::vector<fingerprint> known_;
  size_t lines_ = 0;
};

} // namespace jackfield::dtls
