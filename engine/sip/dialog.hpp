#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/error/error.hpp"
#include "engine/sip/dialog_record.hpp"
#include "engine/sip/leg_id.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/request_text.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// The state of a dialog (RFC 3261 §12) in one block of memory: some 250 bytes of text for ordinary
/// URIs.
class dialog {
public:
  /// Of the side that sent the INVITE, from a 2xx (§12.1.2); where it has no usable Contact the
  /// target is `request_uri`. Not valid if its texts are over 32 KiB or its route set cannot be
  /// used.
  static dialog from_response(const leg_id& leg, const message& response,
                              std::string_view request_uri, uint32_t local_cseq);
  /// Of the side that answers (§12.1.1). The local tag is the leg's text.
  static dialog from_request(const leg_id& leg, const message& request);
  /// One that was kept; `skip` is added to the local CSeq. Fails if a text or number cannot be one
  /// of this leg's dialog.
  static result<dialog> restore(const leg_id& leg, const dialog_record& record, uint32_t skip);

  dialog() = default;
  dialog(dialog&&) noexcept = default;
  dialog& operator=(dialog&&) noexcept = default;

  [[nodiscard]] bool valid() const noexcept { return text_ != nullptr; }

  [[nodiscard]] const leg_id& leg() const noexcept { return leg_; }
  [[nodiscard]] std::string_view call_id() const noexcept { return at(call_id_); }
  [[nodiscard]] std::string_view local_tag() const noexcept { return at(local_tag_); }
  /// May be empty (RFC 2543 peer).
  [[nodiscard]] std::string_view remote_tag() const noexcept { return at(remote_tag_); }
  /// Whole From or To value with its tag.
  [[nodiscard]] std::string_view local_party() const noexcept { return at(local_party_); }
  [[nodiscard]] std::string_view remote_party() const noexcept { return at(remote_party_); }
  /// URI without angle brackets.
  [[nodiscard]] std::string_view remote_target() const noexcept { return at(remote_target_); }
  /// Values as they stand in Route headers, separated by ", "; empty: none.
  [[nodiscard]] std::string_view route_set() const noexcept { return at(route_set_); }
  [[nodiscard]] bool secure() const noexcept { return secure_; }
  [[nodiscard]] uint32_t local_cseq() const noexcept { return local_cseq_; }
  [[nodiscard]] std::optional<uint32_t> remote_cseq() const noexcept {
    return has_remote_cseq_ ? std::optional(remote_cseq_) : std::nullopt;
  }

  /// True for a message of this dialog: Call-ID and both tags (§12.2.2).
  [[nodiscard]] bool matches(const message& m) const noexcept;

  /// Where a request inside the dialog is sent towards: the first route if there is one, else the
  /// remote target (§12.2.1.1).
  [[nodiscard]] std::string_view next_hop() const noexcept { return at(next_hop_); }
  /// The Request-URI of requests inside the dialog: the remote target, or a strict router in front.
  [[nodiscard]] std::string_view request_uri() const noexcept { return at(request_uri_); }
  /// Route values of requests inside the dialog, separated by ", "; empty: none. For a strict
  /// router in front, the set without it and with the remote target at its end.
  [[nodiscard]] std::string_view request_route() const noexcept { return at(request_route_); }

  /// Takes the Contact of a target refresh request or its 2xx (§12.2.1.2, §12.2.2), if it has one.
  void refresh_target(const message& m);
  /// Nothing happens for an empty one.
  void set_remote_target(std::string_view target);

  enum class order : uint8_t { next, repeated, lower };
  /// Checks the CSeq of a request against the last one, which it becomes if it is higher.
  order take_remote_cseq(uint32_t cseq) noexcept;
  /// CSeq for our next request.
  uint32_t next_local_cseq() noexcept { return ++local_cseq_; }
  void skip_local_cseq(uint32_t numbers) noexcept { local_cseq_ += numbers; }

  /// Counts on from an early dialog which this one has become.
  void continue_from(const dialog& early) noexcept {
    local_cseq_ = early.local_cseq_;
    remote_cseq_ = early.remote_cseq_;
    has_remote_cseq_ = early.has_remote_cseq_;
  }

  /// Sets what is the dialog's own in a request: URI, route set, parties, Call-ID.
  void fill(request_text& r) const noexcept;

  /// What `restore` needs, as far as it is the dialog's own.
  [[nodiscard]] dialog_record record() const;

  /// Bytes on the heap.
  [[nodiscard]] size_t heap_bytes() const noexcept { return text_size_; }

private:
  struct span16 {
    uint16_t offset = 0, size = 0;
  };
  [[nodiscard]] std::string_view at(span16 s) const noexcept {
    return {text_.get() + s.offset, s.size};
  }
  struct parts {
    std::string_view call_id, local_party, local_tag, remote_party, remote_tag, remote_target,
      route_set;
  };
  bool store(const parts& p);

  leg_id leg_;
  std::unique_ptr<char[]> text_;
  span16 call_id_, local_party_, remote_party_, local_tag_, remote_tag_, remote_target_, route_set_,
    next_hop_, request_uri_, request_route_;
  uint32_t local_cseq_ = 0;
  uint32_t remote_cseq_ = 0;
  uint16_t text_size_ = 0;
  bool has_remote_cseq_ = false;
  bool secure_ = false;
};

/// A SIPS URI.
[[nodiscard]] bool is_secure(std::string_view uri_text) noexcept;

/// The answer to a request that begins a dialog has a SIPS URI for its Contact (RFC 3261 §12.1.1).
[[nodiscard]] bool wants_secure_contact(const message& request) noexcept;

} // namespace jackfield::sip
