#pragma once

#include <cstdint>
#include <memory>

#include <srtp2/srtp.h>

#include "engine/error/error.hpp"
#include "engine/srtp/master_key.hpp"

namespace jackfield::srtp {

struct session_free {
  void operator()(srtp_ctx_t* session) const noexcept { srtp_dealloc(session); }
};
using session_handle = std::unique_ptr<srtp_ctx_t, session_free>;

/// A session of libsrtp's with one policy: for the stream `source` alone, or for whichever streams
/// come (`ssrc_any_inbound`). `window`: packets whose numbers are remembered, 64 at least.
/// Initialises the library. Place "srtp".
[[nodiscard]] result<session_handle> make_session(const master_key& key, srtp_ssrc_t source,
                                                  unsigned long window);
/// One more stream of a session's. Place "srtp".
[[nodiscard]] result<void> add_stream(srtp_ctx_t& session, const master_key& key,
                                      srtp_ssrc_t source, unsigned long window);

/// An SSRC as `srtp_remove_stream` wants it: in network order.
[[nodiscard]] uint32_t ssrc_in_list_order(uint32_t ssrc) noexcept;

} // namespace jackfield::srtp
