#pragma once

#include <cstdint>

namespace jackfield::policy {

/// Numbers that the desks' owners choose, each unique in a node for as long as it is in use.
enum class queue_id : uint32_t {};
enum class agent_id : uint64_t {};
/// A call: of a caller who waits, or one that an agent makes or takes beside its queues.
enum class call_id : uint64_t {};
enum class skill_id : uint32_t {};

/// One attempt of a queue to bring one caller to one agent, from the bid to its end. Numbered by
/// the queue, upwards from 1, never twice; over restarts, too, if its snapshots are given back.
enum class bid_id : uint64_t {};

} // namespace jackfield::policy
