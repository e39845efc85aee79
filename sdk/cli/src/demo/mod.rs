//! x
pub async fn run(
    _d: &crate::arguments::Demo,
    _c: &crate::arguments::Common,
    _w: &crate::world::World,
) -> Result<(), crate::failure::Failure> {
    Ok(())
}
