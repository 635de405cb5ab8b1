// All styles in the order in which they may override one another.
import './theme.css'
import './layout.css'
import './notices.css'
import './controls.css'
import './models.css'
import './charts.css'
import './tables.css'
import './prompt.css'
