#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "actors/call/call_leg.hpp"
#include "actors/node/recorder.hpp"
#include "engine/report/failure_cause.hpp"
#include "engine/sdp/codec.hpp"
#include "engine/sdp/offer_answer.hpp"
#include "storage/records.hpp"
#include "storage/run_book.hpp"

namespace jackfield {

/// A codec as a store names it: "PCMU/8000/1".
[[nodiscard]] std::string name_of(const sdp::codec& codec);

/// What a leg's user has the journal keep of its call: that it begins, that it was answered, and
/// its record. A part of the user; `call_leg` hands the journal's answer to `on_recorded`.
class kept_call {
public:
  /// Nothing is kept.
  kept_call() = default;
  /// `where`, on the leg's lane, outlives the call; null: nothing is kept. `number`: the call's in
  /// its run.
  kept_call(recorder* where, uint64_t number)
      : recorder_(where), key_{where != nullptr ? where->run() : 0, number} {}
  /// One of the two legs of a call, under a number of its own.
  static kept_call bridged_leg(recorder* where) {
    kept_call made{where, where != nullptr ? where->take_number() : 0};
    made.bridged_ = true;
    return made;
  }
  /// The caller's leg of a call to a queue. `queueing` is changed by who has the call, on the leg's
  /// lane; it is in what is kept from the next write on.
  static kept_call queued_leg(recorder* where,
                              std::shared_ptr<const storage::queueing_record> queueing) {
    auto made = bridged_leg(where);
    made.queueing_ = std::move(queueing);
    return made;
  }

  /// A call that a crash left in the store.
  kept_call(recorder* where, storage::interrupted_call call)
      : recorder_(where), key_(call.key),
        record_(std::make_unique<storage::call_record>(std::move(call.record))) {}
  /// The caller's leg of a call to a queue, likewise.
  kept_call(recorder* where, storage::interrupted_call call,
            std::shared_ptr<const storage::queueing_record> queueing)
      : kept_call(where, std::move(call)) {
    queueing_ = std::move(queueing);
  }

  /// Something is kept of this call.
  [[nodiscard]] explicit operator bool() const noexcept { return recorder_ != nullptr; }

  /// Before the INVITE of a prepared leg leaves. `from` and `to` are URIs. `on_recorded` follows.
  /// `registered_as`: as in `call_record`.
  void begin(call_leg& leg, std::string_view from, std::string_view to,
             std::string_view registered_as = {});
  /// Before the first answer to one that came in. `on_recorded` follows.
  void begin(call_leg& leg, const sip::message& invite);
  /// What a leg of two shows in its descriptions from now on.
  void describe_by(std::shared_ptr<const sdp::offer_template> media) { media_ = std::move(media); }
  /// When a load run's call was due, had its first response and rang; before `answered`.
  void note_progress(storage::wall_time due, std::optional<storage::wall_time> first_response,
                     std::optional<storage::wall_time> ringing);
  /// It was answered, before the ACK leaves: from then on its dialog is kept. `on_recorded`
  /// follows.
  void answered(call_leg& leg);
  /// The ACK to our 2xx came.
  void confirmed(call_leg& leg);
  /// It was sent again, or its dialog has changed: by a request of either side, or an answer.
  void update(call_leg& leg);
  /// It has begun, and not ended: from the beginning on for one that a crash left.
  [[nodiscard]] bool under_way() const noexcept { return record_ != nullptr; }
  /// What is kept of it; only between `begin` and `ended`.
  [[nodiscard]] const storage::call_record& record() const noexcept { return *record_; }
  /// Once, whether it was answered or not; nothing where `begin` was not called. `status`: the
  /// final one of the INVITE, 0: none.
  void ended(call_leg& leg, report::failure_cause cause, int status,
             const storage::call_figures* figures = nullptr);

private:
  void begin(call_leg& leg, std::string_view from, std::string_view to, bool incoming,
             std::string_view registered_as);
  void write(call_leg& leg, storage::durability how, const caf::strong_actor_ptr& waiter);

  recorder* recorder_ = nullptr;
  storage::call_key key_;
  bool bridged_ = false;
  std::shared_ptr<const storage::queueing_record> queueing_; // null: of no queue, or in `record_`
  std::shared_ptr<const sdp::offer_template> media_;         // null: of no matter
  std::unique_ptr<storage::call_record> record_;             // between `begin` and `ended`
};

} // namespace jackfield
