#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/sip/leg_id.hpp"
#include "engine/sip/message.hpp"
#include "engine/sip/ua.hpp"

namespace jackfield::sip {

/// The state of a dialog (RFC 3261 §12) in one block of memory, and the requests and responses
/// inside it. Half a kilobyte for ordinary URIs.
class dialog {
public:
  /// Of the side that sent the INVITE, from a 1xx with a To tag or a 2xx (§12.1.2). `contact` and
  /// the route set of `response`; where it has no usable Contact the target is `request_uri`.
  static dialog from_response(const leg_id& leg, const message& response,
                              std::string_view request_uri, uint32_t local_cseq);
  /// Of the side that answers (§12.1.1). The local tag is the leg's text.
  static dialog from_request(const leg_id& leg, const message& request);

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

  /// Where a request inside the dialog is sent towards: the first route if it routes loosely, or
  /// strictly (then it is the Request-URI), or the remote target (§12.2.1.1).
  [[nodiscard]] std::string_view next_hop() const noexcept;
  /// The Request-URI of requests inside the dialog.
  [[nodiscard]] std::string_view request_uri() const noexcept;

  /// Takes the Contact of a target refresh request or its 2xx (§12.2.1.2, §12.2.2), if it has one.
  void refresh_target(const message& m);
  /// Takes route set and target anew from the 2xx that confirms an early dialog (§13.2.2.4).
  void confirm(const message& response);

  enum class order : uint8_t { next, repeated, lower };
  /// Checks the CSeq of a request against the last one, which it becomes if it is higher.
  order take_remote_cseq(uint32_t cseq) noexcept;
  /// CSeq for our next request.
  uint32_t next_local_cseq() noexcept { return ++local_cseq_; }

  /// What a request carries beside the dialog's own fields.
  struct request_parts {
    method what = method::unknown;
    std::string_view method_name; // where `what` is unknown
    uint32_t cseq = 0;
    uint32_t branch_counter = 0;
    std::string_view headers; // whole lines
    std::string_view body;
    std::string_view content_type;
    bool contact = false; // target refresh requests
    std::string_view contact_value;
  };
  /// Appends a whole request.
  void append_request(std::string& out, const ua_profile& profile,
                      const request_parts& parts) const;

  /// Bytes on the heap.
  [[nodiscard]] size_t heap_bytes() const noexcept;

private:
  struct span16 {
    uint16_t offset = 0, size = 0;
  };
  [[nodiscard]] std::string_view at(span16 s) const noexcept {
    return {text_.get() + s.offset, s.size};
  }
  struct parts {
    std::string_view call_id, local_party, remote_party, remote_target, route_set;
  };
  void store(const parts& p);

  leg_id leg_;
  std::unique_ptr<char[]> text_;
  span16 call_id_, local_party_, remote_party_, local_tag_, remote_tag_, remote_target_, route_set_;
  uint32_t local_cseq_ = 0;
  uint32_t remote_cseq_ = 0;
  uint16_t text_size_ = 0;
  bool has_remote_cseq_ = false;
  bool secure_ = false;
};

/// What a response carries beside what it copies from its request.
struct response_parts {
  int status = 200;
  std::string_view reason; // empty: the status's own
  /// Added to the To value if that has no tag and the status is above 100.
  std::string_view to_tag;
  std::string_view contact; // whole value, empty: none
  bool copy_record_route = false;
  bool allow = false;
  std::string_view headers; // whole lines
  std::string_view body;
  std::string_view content_type;
};
/// Appends a response to `request` (§8.2.6).
void append_response(std::string& out, const ua_profile& profile, const message& request,
                     const response_parts& parts);

/// "OK" for 200 and so on; the class's name for unknown ones.
[[nodiscard]] std::string_view reason_of(int status) noexcept;

} // namespace jackfield::sip
