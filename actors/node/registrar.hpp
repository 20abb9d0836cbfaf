#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/wire/sip_router.hpp"
#include "engine/sip/digest.hpp"

namespace jackfield {

/// Who may register, and for how long.
struct registrar_settings {
  std::string realm = "jackfield";
  /// Key of the nonces, shared by the lanes of a node: 16 bytes and more.
  std::string secret;
  /// HA1 by user, in the order of `sip::digest_algorithm`. Empty: nobody is asked for credentials.
  std::unordered_map<std::string, std::array<std::string, 3>> users;
  unsigned max_expires = 3600;
  unsigned min_expires = 1;
  size_t max_bindings = 1'000'000;
  size_t max_contacts = 16; ///< of one address of record
};

/// Bindings of addresses of record to contacts (RFC 3261 §10.3). One a lane; answers without a
/// transaction's state, since the same REGISTER gets the same answer.
class registrar {
public:
  registrar(sip_router& router, std::shared_ptr<const registrar_settings> settings);

  /// Answers a REGISTER.
  void on_register(const sip_arrival& request);

  /// Addresses of record with a contact that has not expired.
  [[nodiscard]] size_t bindings(lane::time_point now);

private:
  struct contact {
    std::string value; ///< without the expires parameter
    lane::time_point expires;
    std::string call_id;
    uint32_t cseq = 0;
    /// Kept as long as an earlier REGISTER may still be on its way, which must not bring it back.
    bool removed = false;
  };
  void expire(lane::time_point now);
  /// The REGISTER is older than what made the contact what it is: it changes nothing (RFC 3261
  /// §10.3, steps 6 and 7).
  [[nodiscard]] static bool overtaken(const contact& known, const sip::message& request) noexcept;
  static void remove(contact& known, const sip::message& request, lane::time_point now);
  [[nodiscard]] bool admitted(const sip_arrival& request, std::string_view user);

  sip_router& router_;
  std::shared_ptr<const registrar_settings> settings_;
  std::unique_ptr<sip::digest_verifier> verifier_;
  std::unordered_map<std::string, std::vector<contact>> bindings_; // by address of record
};

} // namespace jackfield
