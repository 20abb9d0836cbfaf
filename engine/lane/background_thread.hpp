#pragma once

namespace jackfield::lane {

/// Has the calling thread stand back behind the lanes: what it does may take a moment longer, while
/// a lane that is late is heard. Without effect where the system gives threads no priorities of
/// their own.
void stand_back() noexcept;

} // namespace jackfield::lane
